"""A recording through the same objects as the live graph, frame by frame and deterministic, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Face
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.stamps import FrameOrder, RateLimiter, StampOrder
from dfer_ros.core.video import Frame, FrameSource


@dataclass(frozen=True)
class AnalyzedFrame:
    """A processed frame, its confirmed faces and, in the same order, their emotions."""

    frame: Frame
    faces: list[Face]
    emotions: list[Emotion]


def analyze(
    source: FrameSource, pipeline: FacePipeline, recognizer: Recognizer, frame_rate: float
) -> Iterator[AnalyzedFrame]:
    """Yield the frames of the source that are processed at frame_rate (Hz, at most), with what is seen in them."""
    order, limiter = StampOrder(), RateLimiter(frame_rate)
    for frame in source.frames():
        if order.check(frame.stamp) is not FrameOrder.LATE and limiter.accepts(frame.stamp):
            faces = pipeline.process(frame.image, frame.stamp)
            yield AnalyzedFrame(frame, faces, recognize_faces(recognizer, frame.stamp, faces))


def recognize_faces(recognizer: Recognizer, stamp: float, faces: list[Face]) -> list[Emotion]:
    """Return the emotions of the faces of one frame, in their order."""
    return recognizer.update(
        stamp, [face.id for face in faces], [face.aligned for face in faces], [face.quality for face in faces]
    )
