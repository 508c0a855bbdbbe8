"""The way of a camera's images to faces within face_detector_node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import FaceArray
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.tracker import TrackerConfig, random_id_stem
from dfer_ros.nodes.hri.faces import HriFaces
from dfer_ros.nodes.hri.topics import hri_messages
from dfer_ros.ros.frame_stream import FrameStream
from dfer_ros.ros.image_conversion import to_bgr
from dfer_ros.ros.image_subscription import ImageSubscription
from dfer_ros.ros.messages import face_array
from dfer_ros.ros.quality_of_service import OUTPUT
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.streams.statistics import StreamStatistics


class FaceStream(FrameStream[Image | CompressedImage]):
    """Reads `image` and publishes `faces`, with `hri` on the topics of ROS4HRI as well."""

    def __init__(self, node: Node, log: ThrottledLog, statistics: StreamStatistics, values: Mapping[str, Any]) -> None:
        self._id_stem = random_id_stem()
        tracker = self._tracker_config(values)
        if values["hri"]:
            hri_messages()  # What may fail comes before the detector, whose memory nobody would free.
        self.detector = create_detector(_detector_config(values))
        self._pipeline = FacePipeline(self.detector, tracker)
        self._hri = HriFaces(node, values["lost_seconds"]) if values["hri"] else None
        self._publisher = node.create_publisher(FaceArray, "faces", OUTPUT)
        super().__init__(node, log, statistics, values)

    def subscribe(self, receive: Callable[[Image | CompressedImage], None]) -> Callable[[], None]:
        """Listen to the camera."""
        images = ImageSubscription(self.node, self._transport, self._reliability, receive)
        self.log.info(f"Looking for faces on {images.topic} with {self.detector.name}.")
        return images.close

    def pause(self) -> None:
        """Stop listening to the camera; for ROS4HRI the faces are gone."""
        super().pause()
        if self._hri is not None:
            self._hri.clear()

    def close(self) -> None:
        """Destroy the publishers, and free the detector."""
        self.detector.close()
        self.node.destroy_publisher(self._publisher)
        if self._hri is not None:
            self._hri.close()

    def configure(self, values: Mapping[str, Any]) -> None:
        """Take over parameters; the pipeline gets them before the next image, in the worker's thread."""
        super().configure(values)
        self._transport, self._reliability = values["image_transport"], values["image_reliability"]
        self._config = _detector_config(values), self._tracker_config(values)
        if self._hri is not None:
            self._hri.lost_seconds = values["lost_seconds"]

    def process(self, message: Image | CompressedImage, stamp: float) -> int:
        """Publish the faces of an image, and return how many they are."""
        image = to_bgr(message)
        self._pipeline.configure(*self._config)
        faces = self._pipeline.process(image, stamp)
        if self._pipeline.cleared:
            self.log.warning("The image stamps went backward: all tracks were cleared and every face gets a new id.")
        self._publisher.publish(face_array(message.header, image.shape, faces))
        if self._hri is not None:
            self._hri.publish(message.header, self.now(), image, faces)
        return len(faces)

    def _tracker_config(self, values: Mapping[str, Any]) -> TrackerConfig:
        """Return the configuration of the tracker; its ids are not those of another detector, or of an earlier run."""
        return TrackerConfig(values["confirm_frames"], values["lost_seconds"], values["id_prefix"], self._id_stem)


def _detector_config(values: Mapping[str, Any]) -> DetectorConfig:
    return DetectorConfig(
        values["detector"], values["detection_confidence"], values["yunet_model"], values["yunet_width"]
    )
