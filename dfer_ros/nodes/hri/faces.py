"""Faces as ROS4HRI (REP-155) publishes them, for every node that was written against it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMessage
from std_msgs.msg import Header

from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Face, Image, box_within
from dfer_ros.core.head_pose import DEFAULT_FIELD_OF_VIEW
from dfer_ros.nodes.hri.face_publishers import HriFacePublishers
from dfer_ros.nodes.hri.heads import LANDMARKS, HriHeads
from dfer_ros.nodes.hri.images import cropped_face
from dfer_ros.nodes.hri.topics import hri_messages
from dfer_ros.nodes.hri.tracked_faces import HriTrackedFaces
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.silence_timer import SilenceTimer


class HriFaces:
    """Publishes /humans/faces/tracked and, for each face, `roi`, `aligned` and `cropped`, while somebody subscribes.

    When no image comes for lost_seconds all faces are gone.
    lost_seconds: how long a face that is not seen is kept; may be set at any time.
    mesh: with it, `landmarks` and the frames of the faces as well; field_of_view: see HriHeads.
    Raises DferError where hri_msgs is not installed.
    """

    def __init__(
        self,
        node: Node,
        lost_seconds: float,
        mesh: FaceMesh | None = None,
        field_of_view: float = DEFAULT_FIELD_OF_VIEW,
    ) -> None:
        messages = hri_messages()
        self._roi_type = messages.NormalizedRegionOfInterest2D
        types = {"roi": self._roi_type, "aligned": ImageMessage, "cropped": ImageMessage}
        if mesh is not None:
            types[LANDMARKS] = messages.FacialLandmarks
        self._publishers = HriFacePublishers(node, types, lost_seconds)
        self._heads = None if mesh is None else HriHeads(node, self._publishers, mesh, field_of_view)
        self._tracked = HriTrackedFaces(node)
        self._header: Header | None = None
        # Images are published from the thread of the worker, silence comes in that of the executor.
        self._lock = threading.RLock()
        self._silence = SilenceTimer(node, lost_seconds, self.clear)

    @property
    def lost_seconds(self) -> float:
        """How long a face that is not seen is kept."""
        return self._silence.seconds

    @lost_seconds.setter
    def lost_seconds(self, seconds: float) -> None:
        self._publishers.lost_seconds = self._silence.seconds = seconds

    def publish(self, header: Header, now: float, image: Image, faces: Sequence[Face]) -> None:
        """Publish the confirmed faces of an image [H, W, 3] uint8 BGR.

        header: the image's. now: the time of the node's clock in seconds.
        """
        with self._lock:
            self._silence.heard()
            self._publish(header, now, image, faces)

    def _publish(self, header: Header, now: float, image: Image, faces: Sequence[Face]) -> None:
        self._header = header
        self._publishers.follow(now, [face.id for face in faces])
        for face in faces:
            self._publishers.publish(face.id, "roi", partial(self._roi, header, image, face))
            self._publishers.publish(face.id, "aligned", partial(_image_message, header, face.aligned))
            self._publishers.publish(face.id, "cropped", partial(_cropped, header, image, face))
        if self._heads is not None:
            self._heads.publish(header, image, faces)
        # The list comes last: whoever reads it finds the images of these faces sent.
        self._tracked.publish(header, self._publishers.face_ids)

    def clear(self) -> None:
        """Tell the listeners that our faces are gone, and destroy their publishers; publish() begins anew."""
        with self._lock:
            self._publishers.clear()
            if self._header is not None:
                self._tracked.publish(self._header, [])
                self._header = None

    def close(self) -> None:
        """Tell the listeners that our faces are gone, and destroy everything."""
        self._silence.close()
        self.clear()
        self._tracked.close()
        if self._heads is not None:
            self._heads.close()

    def _roi(self, header: Header, image: Image, face: Face) -> Any:
        height, width = image.shape[:2]
        x, y, box_width, box_height = box_within(face.detection.box, width, height)
        return self._roi_type(
            header=header,
            xmin=x / width,
            ymin=y / height,
            xmax=(x + box_width) / width,
            ymax=(y + box_height) / height,
            c=float(face.detection.confidence),
        )


def _cropped(header: Header, image: Image, face: Face) -> ImageMessage:
    return _image_message(header, cropped_face(image, face.detection.box))


def _image_message(header: Header, image: Image) -> ImageMessage:
    message = ImageMessage(header=header)
    fill_image(message, image)
    return message
