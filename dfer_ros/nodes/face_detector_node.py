"""image -> faces: detects, tracks and aligns the faces of a camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import FaceArray
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.stamps import RateLimiter
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.nodes.image_conversion import to_bgr
from dfer_ros.nodes.image_subscription import ImageSubscription
from dfer_ros.nodes.latest_worker import LatestWorker
from dfer_ros.nodes.messages import face_array
from dfer_ros.nodes.parameter import declare_parameters
from dfer_ros.nodes.parameters.face_detector import FACE_DETECTOR
from dfer_ros.nodes.quality_of_service import OUTPUT
from dfer_ros.nodes.run_node import bound_opencv_threads, run_node
from dfer_ros.nodes.stamp import stamp_seconds
from dfer_ros.nodes.throttled_log import ThrottledLog

NAME = "face_detector_node"


class FaceDetectorNode(Node):
    """Subscribes to `image`, publishes `faces`: one FaceArray for every image processed, empty where nobody is seen."""

    def __init__(self) -> None:
        super().__init__(NAME)
        values = declare_parameters(self, FACE_DETECTOR, self._on_parameters)
        bound_opencv_threads(values["threads"])
        detector = create_detector(_detector_config(values))
        self._pipeline = FacePipeline(detector, _tracker_config(values))
        self._limiter = RateLimiter(values["frame_rate"])
        self._log = ThrottledLog(self.get_logger())
        self._publisher = self.create_publisher(FaceArray, "faces", OUTPUT)
        self._worker: LatestWorker[Image | CompressedImage] = LatestWorker(self._process, self._log.error)
        self._images = ImageSubscription(self, values["image_transport"], values["image_reliability"], self._on_image)
        self.get_logger().info(f"Looking for faces on {self._images.topic} with {detector.name}.")

    def close(self) -> None:
        """End the worker."""
        self._images.close()
        self._worker.close()

    def _on_parameters(self, values: Mapping[str, Any]) -> None:
        self._limiter.rate = values["frame_rate"]

    def _on_image(self, message: Image | CompressedImage) -> None:
        if self._limiter.accepts(stamp_seconds(message.header, self.get_clock())):
            self._worker.put(message)

    def _process(self, message: Image | CompressedImage) -> None:
        image = to_bgr(message)
        faces = self._pipeline.process(image, stamp_seconds(message.header, self.get_clock()))
        if self._pipeline.cleared:
            self._log.warning("The image stamps went backward: all tracks were cleared and every face gets a new id.")
        self._publisher.publish(face_array(message.header, image.shape, faces))


def _detector_config(values: Mapping[str, Any]) -> DetectorConfig:
    return DetectorConfig(
        values["detector"], values["detection_confidence"], values["yunet_model"], values["yunet_width"]
    )


def _tracker_config(values: Mapping[str, Any]) -> TrackerConfig:
    return TrackerConfig(values["confirm_frames"], values["lost_seconds"])


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, FaceDetectorNode, arguments)


if __name__ == "__main__":
    main()
