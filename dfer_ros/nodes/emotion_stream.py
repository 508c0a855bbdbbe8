"""The way of one camera's faces to emotions within dfer_node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rclpy.node import Node

from dfer_msgs.msg import EmotionArray, Face, FaceArray
from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import DferError, ImageError
from dfer_ros.core.faces import SeenFace
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.parameter import parameter
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.nodes.hri.expressions import HriExpressions
from dfer_ros.nodes.hri.images import ALIGNMENTS, DEFAULT_ALIGNMENT
from dfer_ros.nodes.hri.input import HriInput
from dfer_ros.nodes.hri.topics import hri_parameter
from dfer_ros.nodes.local_faces import FoundFaces, LocalFaces
from dfer_ros.nodes.shared_recognition import SharedRecognition
from dfer_ros.ros.frame_stream import FrameStream, StreamWorker
from dfer_ros.ros.frame_subscription import FrameSubscription
from dfer_ros.ros.image_conversion import check_usable, to_bgr
from dfer_ros.ros.managed_node import ManagedConfig
from dfer_ros.ros.messages import emotion_array
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import OUTPUT, is_topic, latest_only
from dfer_ros.streams.health import HealthLimits
from dfer_ros.streams.stamps import FrameConfig
from dfer_ros.streams.statistics import StreamStatistics

T = TypeVar("T")


@dataclass(frozen=True)
class DferNodeConfig:
    """The parameters of dfer_node. Raises DferError where the cameras cannot be."""

    managed: ManagedConfig = field(default_factory=ManagedConfig)
    input: str = parameter(
        "faces",
        "Where the faces come from: faces, the topic of face_detector_node, or hri, any detector of ROS4HRI.",
        choices=("faces", "hri"),
    )
    cameras: tuple[str, ...] = parameter(
        ("",), "Names of the cameras served: <name>/faces to <name>/emotions; an empty name: faces to emotions."
    )
    hri_alignment: str = parameter(
        DEFAULT_ALIGNMENT,
        "With input hri: the detector whose `aligned` images are read.",
        choices=tuple(ALIGNMENTS),
    )
    hri: bool = hri_parameter()
    model: EmotionModelConfig = field(default_factory=EmotionModelConfig)
    frames: FrameConfig = field(default_factory=FrameConfig)
    recognizer: RecognizerConfig = field(default_factory=RecognizerConfig)
    health: HealthLimits = field(default_factory=HealthLimits)

    def __post_init__(self) -> None:
        if self.input == "hri" and len(self.cameras) > 1:
            raise DferError("With input:=hri there is one stream of faces, of all cameras: leave 'cameras' as it is.")
        for camera in self.cameras:
            _check_camera(camera)


class EmotionStream(FrameStream[FaceArray | FoundFaces, DferNodeConfig]):
    """Reads `<camera>/faces` and publishes `<camera>/emotions`, with a window for every person before the camera.

    camera: its name; where empty, `faces` and `emotions`. model, shared: those of all streams of the same worker.
    local: brings the faces of a detector in the same process, in the place of the topic.
    """

    def __init__(
        self,
        node: Node,
        log: ThrottledLog,
        statistics: StreamStatistics,
        config: DferNodeConfig,
        camera: str,
        model: EmotionModel,
        shared: SharedRecognition,
        local: LocalFaces | None = None,
    ) -> None:
        super().__init__(node, log, statistics, config)
        self._model = model
        self._shared = shared
        self._local = local
        self._recognizers: dict[str, Recognizer] = {}
        self._base = f"{camera}/" if camera else ""
        self._hri = HriExpressions(node) if config.hri else None
        self._publisher = node.create_publisher(EmotionArray, f"{self._base}emotions", OUTPUT)

    def subscribe(self, receive: Callable[[FaceArray | FoundFaces], None]) -> Callable[[], None]:
        """Listen to our face detector, or to one of ROS4HRI."""
        if self.config.input == "hri":
            return HriInput(self.node, receive, self.config.hri_alignment).close
        topic = f"{self._base}faces"
        if self._local is not None:
            return self._local.listen(self.node.resolve_topic_name(topic), receive)
        return FrameSubscription(self.node, FaceArray, topic, receive, latest_only()).close

    def listen(self, worker: StreamWorker) -> None:
        """Begin anew, without memory of the persons before."""
        self._recognizers.clear()
        super().listen(worker)

    def pause(self) -> None:
        """For ROS4HRI nobody has an expression any more."""
        if self._hri is not None:
            self._hri.clear()

    def close(self) -> None:
        """Destroy the publishers."""
        self.node.destroy_publisher(self._publisher)
        if self._hri is not None:
            self._hri.close()

    def camera_of(self, message: FaceArray | FoundFaces) -> str:
        """Return the frame id where a robot's other detectors send the faces of all its cameras."""
        frame_id: str = message.header.frame_id
        return frame_id if self.config.input == "hri" else ""

    def check(self, message: FaceArray | FoundFaces) -> None:
        """Raise ImageError where there are faces, but no usable one; those of this process are."""
        if not isinstance(message, FoundFaces):
            self._usable(message, _check_face)

    def prepare(self, message: FaceArray | FoundFaces, stamp: float) -> None:
        """Have the faces of an image encoded together with those that wait beside it."""
        self._shared.announce(self._recognizer(self.camera_of(message)), stamp, self._usable(message, _seen_face))

    def process(self, message: FaceArray | FoundFaces, stamp: float) -> int:
        """Publish the emotions of the faces of an image, and return how many they are."""
        recognizer = self._recognizers[self.camera_of(message)]
        emotions = self._shared.emotions(recognizer)
        if recognizer.cleared:
            self.log.warning("The image stamps went backward: the windows of all persons were cleared.")
        self._publisher.publish(emotion_array(message.header, emotions))
        if self._hri is not None:
            self._hri.publish(message.header, self.now(), emotions)
        return len(emotions)

    def _recognizer(self, camera: str) -> Recognizer:
        """Return the recognizer of a camera, with the configuration that holds now."""
        if camera not in self._recognizers:
            self._recognizers[camera] = Recognizer(self._model)
        self._recognizers[camera].configure(self.config.recognizer)
        return self._recognizers[camera]

    def _usable(self, message: FaceArray | FoundFaces, use: Callable[[Face], T]) -> list[T] | list[SeenFace]:
        """Return what use() makes of the usable faces of a message; those found in this process need nothing made.

        Raises ImageError where there are faces, but no usable one.
        """
        if isinstance(message, FoundFaces):
            return [face.seen for face in message.faces]
        used: list[T] = []
        problems: list[ImageError] = []
        for face in message.faces:
            try:
                used.append(use(face))
            except ImageError as error:
                problems.append(error)
        if problems and not used:
            raise problems[0]
        for problem in problems:
            self.log.error(problem)
        return used


def _check_camera(camera: str) -> None:
    """Raise DferError where a name cannot be part of a topic."""
    if camera and not is_topic(f"/{camera}/faces"):
        raise DferError(
            f"The camera '{camera}' of the parameter 'cameras' cannot be part of a topic: use letters, digits and _, "
            "and no digit first."
        )


def _check_face(face: Face) -> None:
    """Raise ImageError where a face is not usable."""
    if not 0.0 <= face.quality <= 1.0:
        raise ImageError(f"The quality of {face.id} is {face.quality}, not 0 to 1: the face is skipped.")
    check_usable(face.aligned)
    if (face.aligned.height, face.aligned.width) != (ALIGNED_SIZE, ALIGNED_SIZE):
        raise ImageError(f"The aligned crop of {face.id} is not {ALIGNED_SIZE}x{ALIGNED_SIZE} pixels: it is skipped.")


def _seen_face(face: Face) -> SeenFace:
    """Return a face with its aligned crop; raises ImageError where it is not usable."""
    _check_face(face)
    return SeenFace(face.id, to_bgr(face.aligned), face.quality)
