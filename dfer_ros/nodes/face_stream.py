"""The way of a camera's images to faces within face_detector_node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import FaceArray
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.image_encoding import encoding_remark
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.parameter import same_parameter
from dfer_ros.core.tracker import TrackerConfig, random_id_stem
from dfer_ros.nodes.hri.faces import HriFaces
from dfer_ros.nodes.hri.heads import HeadConfig
from dfer_ros.nodes.hri.topics import hri_messages, hri_parameter
from dfer_ros.nodes.local_faces import FoundFaces, LocalFaces
from dfer_ros.ros.frame_stream import FrameStream
from dfer_ros.ros.image_conversion import check_usable, to_bgr
from dfer_ros.ros.image_subscription import ImageConfig, ImageSubscription
from dfer_ros.ros.managed_node import ManagedConfig
from dfer_ros.ros.messages import face_array
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.streams.health import HealthLimits
from dfer_ros.streams.stamps import FrameConfig
from dfer_ros.streams.statistics import StreamStatistics


@dataclass(frozen=True)
class FaceDetectorNodeConfig:
    """The parameters of face_detector_node."""

    managed: ManagedConfig = field(default_factory=ManagedConfig)
    images: ImageConfig = field(default_factory=ImageConfig)
    frames: FrameConfig = field(default_factory=FrameConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    hri: bool = hri_parameter()
    heads: HeadConfig = field(default_factory=HeadConfig)
    threads: int = same_parameter(SessionConfig, "threads")
    health: HealthLimits = field(default_factory=HealthLimits)


class FaceStream(FrameStream[Image | CompressedImage, FaceDetectorNodeConfig]):
    """Reads `image` and publishes `faces` while somebody subscribes, with `hri` on the topics of ROS4HRI as well.

    local: takes the faces to a dfer_node of the same process.
    """

    def __init__(
        self,
        node: Node,
        log: ThrottledLog,
        statistics: StreamStatistics,
        config: FaceDetectorNodeConfig,
        local: LocalFaces | None = None,
    ) -> None:
        super().__init__(node, log, statistics, config)
        mesh = None
        if config.hri:  # What may fail comes before the detector, whose memory nobody would free.
            hri_messages()
            mesh = FaceMesh(SessionConfig(threads=config.threads)) if config.heads.head_pose else None
        # Not those of another detector, or of an earlier run.
        self._id_stem = random_id_stem()
        self.detector = create_detector(config.detector)
        self._pipeline = FacePipeline(self.detector, config.tracker)
        field_of_view = config.heads.field_of_view
        self._hri = HriFaces(node, config.tracker.lost_seconds, mesh, field_of_view) if config.hri else None
        self._publisher = node.create_publisher(FaceArray, "faces", OUTPUT)
        self._local = local
        self._remarked = False

    def subscribe(self, receive: Callable[[Image | CompressedImage], None]) -> Callable[[], None]:
        """Listen to the camera."""
        images = ImageSubscription(self.node, self.config.images, receive)
        self.log.info(f"Looking for faces on {images.topic} with {self.detector.name}.")
        return images.close

    def pause(self) -> None:
        """For ROS4HRI the faces are gone."""
        if self._hri is not None:
            self._hri.clear()

    def close(self) -> None:
        """Destroy the publishers, and free the detector."""
        self.detector.close()
        self.node.destroy_publisher(self._publisher)
        if self._hri is not None:
            self._hri.close()

    def configure(self, config: FaceDetectorNodeConfig) -> None:
        """Take over a configuration; the pipeline gets it before the next image, in the worker's thread."""
        super().configure(config)
        if self._hri is not None:
            self._hri.lost_seconds = config.tracker.lost_seconds

    def check(self, message: Image | CompressedImage) -> None:
        """Raise ImageError where an image cannot be read."""
        check_usable(message)

    def process(self, message: Image | CompressedImage, stamp: float) -> int:
        """Publish the faces of an image, and return how many they are."""
        image = to_bgr(message)
        self._remark(message)
        config = self.config
        self._pipeline.configure(config.detector, replace(config.tracker, id_stem=self._id_stem))
        faces = self._pipeline.process(image, stamp)
        if self._pipeline.cleared:
            self.log.warning("The image stamps went backward: all tracks were cleared and every face gets a new id.")
        if self._local is not None:
            self._local.hand_over(self._publisher.topic_name, FoundFaces(message.header, faces))
        if self._publisher.get_subscription_count() > 0:
            self._publisher.publish(face_array(message.header, image.shape, faces))
        if self._hri is not None:
            self._hri.publish(message.header, self.now(), image, faces)
        return len(faces)

    def finish(self) -> None:
        """Look for somebody new, where the answer did not wait for that."""
        self._pipeline.finish()

    def _remark(self, message: Image | CompressedImage) -> None:
        """Say once what is to be said of images in an encoding."""
        remark = "" if self._remarked or isinstance(message, CompressedImage) else encoding_remark(message.encoding)
        if remark:
            self.log.warning(remark)
            self._remarked = True
