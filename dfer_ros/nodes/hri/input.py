"""The faces of any ROS4HRI (REP-155) detector as input."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image as ImageMessage
from std_msgs.msg import Header

from dfer_msgs.msg import Face, FaceArray
from dfer_ros.core.errors import DferError, ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.quality import sharpness_score
from dfer_ros.nodes.hri.frames import FaceCollector, ImageFaces
from dfer_ros.nodes.hri.images import ALIGNMENTS, DEFAULT_ALIGNMENT, realigned_face
from dfer_ros.nodes.hri.topics import TRACKED, face_topic, hri_messages
from dfer_ros.ros.image_conversion import fill_image, to_bgr
from dfer_ros.ros.messages import header_nanoseconds
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import latest_only


class HriInput:
    """Follows /humans/faces/tracked and calls on_faces with the faces of each image, cut from their `aligned` images.

    The arrays of one camera (frame_id of the header) come in the order of their stamps, empty while nobody is tracked.
    Of a face id, quality and aligned are known; confidence is 1, roi, landmarks and the size of the image are 0.
    alignment: who aligned the images, one of hri_images.ALIGNMENTS.
    Raises DferError where hri_msgs is not installed.
    """

    def __init__(self, node: Node, on_faces: Callable[[FaceArray], None], alignment: str = DEFAULT_ALIGNMENT) -> None:
        self._node = node
        self._on_faces = on_faces
        self._template = ALIGNMENTS[alignment]
        self._log = ThrottledLog(node.get_logger())
        self._collector = FaceCollector()
        self._images: dict[str, Subscription] = {}
        self._tracked = node.create_subscription(hri_messages().IdsList, TRACKED, self._on_tracked, latest_only())

    def close(self) -> None:
        """Stop listening."""
        self._node.destroy_subscription(self._tracked)
        self._follow_faces(())

    def _on_tracked(self, message: Any) -> None:
        self._follow_faces(message.ids)
        header = message.header
        self._hand_over(self._collector.track(header.frame_id, header_nanoseconds(header), self._images))

    def _follow_faces(self, face_ids: Iterable[str]) -> None:
        """Subscribe to the aligned images of these faces and of no others."""
        wanted = set(face_ids)
        for face_id in self._images.keys() - wanted:
            self._node.destroy_subscription(self._images.pop(face_id))
        for face_id in wanted - self._images.keys():
            try:
                topic = face_topic(face_id, "aligned")
            except DferError as error:
                self._log.error(error)
                continue
            receive = partial(self._on_image, face_id)
            self._images[face_id] = self._node.create_subscription(ImageMessage, topic, receive, latest_only())

    def _on_image(self, face_id: str, message: ImageMessage) -> None:
        header, crop = message.header, self._crop(message)
        self._hand_over(self._collector.add(header.frame_id, header_nanoseconds(header), face_id, crop))

    def _crop(self, message: ImageMessage) -> Image | None:
        try:
            return realigned_face(to_bgr(message), self._template)
        except ImageError as error:
            self._log.error(ImageError(f"An aligned image of a ROS4HRI detector is skipped: {error}"))
        except Exception as error:  # whatever an image that nobody thought of makes OpenCV raise
            self._log.error(error)
        return None

    def _hand_over(self, complete: list[ImageFaces]) -> None:
        for faces in complete:
            self._on_faces(_face_array(faces))


def _face_array(faces: ImageFaces) -> FaceArray:
    header = Header(frame_id=faces.camera)
    header.stamp.sec, header.stamp.nanosec = divmod(faces.stamp, 10**9)
    return FaceArray(header=header, faces=[_face(header, *one) for one in faces.crops.items()])


def _face(header: Header, face_id: str, crop: Image) -> Face:
    """Return the face message; of what quality is made of, a crop without its landmarks tells the sharpness only."""
    message = Face(id=face_id, confidence=1.0, quality=sharpness_score(crop))
    message.aligned.header = header
    fill_image(message.aligned, crop)
    return message
