"""Results of core as messages of dfer_msgs, and the stamp of a message as a number."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Point32
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from dfer_msgs.msg import Emotion as EmotionMessage, EmotionArray, Face as FaceMessage, FaceArray
from dfer_ros.core.emotion import Emotion
from dfer_ros.core.faces import Face, box_within
from dfer_ros.ros.image_conversion import fill_image


def face_array(header: Header, image_shape: Sequence[int], faces: Sequence[Face]) -> FaceArray:
    """Return the message for the faces of an image of shape (height, width, ...); header is the image's."""
    height, width = image_shape[:2]
    return FaceArray(
        header=header,
        image_width=width,
        image_height=height,
        faces=[_face_message(header, face, width, height) for face in faces],
    )


def emotion_array(header: Header, emotions: Sequence[Emotion]) -> EmotionArray:
    """Return the message for the emotions of the faces of one image; header is the image's."""
    return EmotionArray(header=header, emotions=[_emotion_message(emotion) for emotion in emotions])


def _face_message(header: Header, face: Face, width: int, height: int) -> FaceMessage:
    x, y, box_width, box_height = box_within(face.detection.box, width, height)
    message = FaceMessage(
        id=face.id,
        confidence=face.detection.confidence,
        roi=RegionOfInterest(x_offset=x, y_offset=y, width=box_width, height=box_height),
        landmarks=[Point32(x=x, y=y) for x, y in face.detection.landmarks.tolist()],
        quality=face.quality,
    )
    message.aligned.header = header
    fill_image(message.aligned, face.aligned)
    return message


def _emotion_message(emotion: Emotion) -> EmotionMessage:
    return EmotionMessage(
        face_id=emotion.face_id,
        expression=emotion.expression,
        confidence=emotion.confidence,
        probabilities=emotion.probabilities,
        valence=emotion.valence,
        arousal=emotion.arousal,
        secondary=emotion.secondary,
        secondary_confidence=emotion.secondary_confidence,
        intensity=emotion.intensity,
        phase=emotion.phase,
        window_seconds=emotion.window_seconds,
        window_frames=emotion.window_frames,
    )


def header_nanoseconds(header: Header) -> int:
    """Return a header's stamp in nanoseconds, 0 where it has none."""
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def header_seconds(header: Header) -> float:
    """Return a header's stamp in seconds, 0 where it has none."""
    seconds: float = header.stamp.sec + header.stamp.nanosec * 1e-9
    return seconds
