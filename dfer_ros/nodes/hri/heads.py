"""Landmarks and head poses as ROS4HRI (REP-155) publishes them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Face, FloatArray, Image
from dfer_ros.core.head_pose import DEFAULT_FIELD_OF_VIEW, HeadPose, estimate_head_pose
from dfer_ros.core.parameter import parameter
from dfer_ros.nodes.hri.face_publishers import HriFacePublishers
from dfer_ros.nodes.hri.topics import hri_messages
from dfer_ros.ros.camera_calibration import CameraCalibration
from dfer_ros.ros.throttled_log import ThrottledLog

LANDMARKS = "landmarks"
LANDMARK_COUNT = 70
"""Of hri_msgs/FacialLandmarks: 68, and the two pupils, which the mesh does not tell."""
MESH_INDICES = (
    *(127, 93, 132, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 361, 323, 356),  # from ear to ear by the chin
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    *(168, 197, 195, 4, 98, 97, 2, 326, 327),  # nose: its bridge from the sellion to the tip, and its base
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer lips
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips
)
"""Points of the face mesh, by landmark of hri_msgs: the 68 of dlib and OpenPose, the person's right side first."""

_TF = "/tf"
_TF_QUALITY = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE)
"""What tf2_ros gives its broadcasters."""
_GAZE = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)
"""From the axes of a face to those of its gaze: z out of the face, x to the person's right, y down."""


@dataclass(frozen=True)
class HeadConfig:
    """Whether heads are looked for, and what is assumed of a camera."""

    head_pose: bool = parameter(
        True,
        "With hri, whether landmarks and the frames face_<id> and gaze_<id> are made while somebody subscribes.",
    )
    field_of_view: float = parameter(
        DEFAULT_FIELD_OF_VIEW,
        "Field of view across the longer side of the image, for a camera without camera_info.",
        "degrees",
        10.0,
        170.0,
    )


class HriHeads:
    """Publishes `landmarks` of each face, and the frames face_<id> and gaze_<id> on /tf, while somebody subscribes.

    publishers: those of the faces, `landmarks` among them. field_of_view: see CameraCalibration.
    Raises DferError where hri_msgs is not installed; where tf2_msgs is not, a warning says that there are no frames.
    """

    def __init__(self, node: Node, publishers: HriFacePublishers, mesh: FaceMesh, field_of_view: float) -> None:
        messages = hri_messages()
        self._landmarks_type, self._point_type = messages.FacialLandmarks, messages.NormalizedPointOfInterest2D
        self._node = node
        self._log = ThrottledLog(node.get_logger())
        self._publishers = publishers
        self._mesh = mesh
        self._calibration = CameraCalibration(node, self._log, field_of_view)
        self._frames_type = _transform_message(self._log)
        self._frames = None if self._frames_type is None else node.create_publisher(self._frames_type, _TF, _TF_QUALITY)

    def publish(self, header: Header, image: Image, faces: Sequence[Face]) -> None:
        """Publish what is asked for of the faces of an image [H, W, 3] uint8 BGR; header: the image's."""
        height, width = image.shape[:2]
        framed = self._frames is not None and self._frames.get_subscription_count() > 0
        if framed and not header.frame_id:
            self._log.warning("The images name no frame (header.frame_id): where heads are in it cannot be told.")
            framed = False
        camera = self._calibration.camera(width, height) if framed and faces else None
        transforms = []
        for face in faces:
            if camera is None and not self._publishers.is_heard(face.id, LANDMARKS):
                continue
            landmarks = self._mesh.landmarks(image, face.detection.landmarks)
            if landmarks is None:
                continue
            self._publishers.publish(
                face.id, LANDMARKS, partial(self._landmarks_message, header, image, face, landmarks)
            )
            pose = None if camera is None else estimate_head_pose(landmarks, camera)
            if pose is not None:
                transforms += face_transforms(header, face.id, pose)
        if transforms and self._frames is not None and self._frames_type is not None:
            self._frames.publish(self._frames_type(transforms=transforms))

    def close(self) -> None:
        """Destroy the publisher of frames, and stop listening to the camera's calibration."""
        self._calibration.close()
        if self._frames is not None:
            self._node.destroy_publisher(self._frames)

    def _landmarks_message(self, header: Header, image: Image, face: Face, landmarks: FloatArray) -> Any:
        """Return the message; a landmark that is not known, or lies outside the image, has confidence 0."""
        height, width = image.shape[:2]
        confidence = float(face.detection.confidence)
        message = self._landmarks_type(header=header, width=width, height=height)
        places = (landmarks[list(MESH_INDICES)] + 0.5) / (width, height)
        seen = ((places >= 0) & (places <= 1)).all(axis=1)
        points = [
            self._point_type(x=x, y=y, c=confidence) if inside else self._point_type()
            for (x, y), inside in zip(places.tolist(), seen.tolist())
        ]
        message.landmarks = points + [self._point_type() for _ in range(LANDMARK_COUNT - len(points))]
        return message


def face_transforms(header: Header, face_id: str, pose: HeadPose) -> list[TransformStamped]:
    """Return the frames face_<id>, in that of the camera, and gaze_<id> in it; header: the image's.

    The gaze is the direction of the head: the eyes are not measured.
    """
    face = TransformStamped(header=header, child_frame_id=f"face_{face_id}")
    face.transform.translation = _vector(pose.position.tolist())
    x, y, z, w = pose.quaternion
    face.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
    gaze = TransformStamped(header=Header(stamp=header.stamp, frame_id=face.child_frame_id))
    gaze.child_frame_id = f"gaze_{face_id}"
    gaze.transform.rotation = _GAZE
    return [face, gaze]


def _vector(values: Sequence[float]) -> Vector3:
    x, y, z = values
    return Vector3(x=x, y=y, z=z)


def _transform_message(log: ThrottledLog) -> Any:
    """Return tf2_msgs/TFMessage; None, and a warning, where it is not installed."""
    try:
        return importlib.import_module("tf2_msgs.msg").TFMessage
    except ImportError:
        log.warning(
            "The frames face_<id> and gaze_<id> need tf2_msgs, which is not installed: run "
            "'sudo apt install ros-$ROS_DISTRO-tf2-msgs'. The rest of ROS4HRI works without."
        )
        return None
