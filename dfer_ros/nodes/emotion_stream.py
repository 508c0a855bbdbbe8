"""The way of one camera's faces to emotions within dfer_node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node

from dfer_msgs.msg import EmotionArray, Face, FaceArray
from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.emotion_model import EmotionModel
from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.core.stream_statistics import StreamStatistics
from dfer_ros.nodes.frame_stream import FrameStream
from dfer_ros.nodes.hri_expressions import HriExpressions
from dfer_ros.nodes.hri_input import HriInput
from dfer_ros.nodes.image_conversion import to_bgr
from dfer_ros.nodes.latest_worker import LatestWorker
from dfer_ros.nodes.messages import emotion_array
from dfer_ros.nodes.parameters.dfer import MODEL_DEFAULT
from dfer_ros.nodes.quality_of_service import OUTPUT, latest_only
from dfer_ros.nodes.throttled_log import ThrottledLog


class EmotionStream(FrameStream[FaceArray]):
    """Reads `<camera>/faces` and publishes `<camera>/emotions`, with a window for every person before the camera.

    camera: its name; where empty, `faces` and `emotions`. model: may be that of other streams of the same worker.
    """

    def __init__(
        self,
        node: Node,
        log: ThrottledLog,
        statistics: StreamStatistics,
        values: Mapping[str, Any],
        camera: str,
        model: EmotionModel,
    ) -> None:
        self._recognizer = Recognizer(model)
        self._input, self._alignment = values["input"], values["hri_alignment"]
        self._base = f"{camera}/" if camera else ""
        self._hri = HriExpressions(node) if values["hri"] else None
        self._publisher = node.create_publisher(EmotionArray, f"{self._base}emotions", OUTPUT)
        super().__init__(node, log, statistics, values)

    def subscribe(self, receive: Callable[[FaceArray], None]) -> Callable[[], None]:
        """Listen to our face detector, or to one of ROS4HRI."""
        if self._input == "hri":
            return HriInput(self.node, receive, self._alignment).close
        subscription = self.node.create_subscription(FaceArray, f"{self._base}faces", receive, latest_only())
        return partial(self.node.destroy_subscription, subscription)

    def listen(self, worker: LatestWorker) -> None:
        """Begin anew, without memory of the persons before."""
        self._recognizer.reset()
        super().listen(worker)

    def pause(self) -> None:
        """Stop listening; for ROS4HRI nobody has an expression any more."""
        super().pause()
        if self._hri is not None:
            self._hri.clear()

    def close(self) -> None:
        """Destroy the publishers."""
        self.node.destroy_publisher(self._publisher)
        if self._hri is not None:
            self._hri.close()

    def configure(self, values: Mapping[str, Any]) -> None:
        """Take over parameters; the recognizer gets them before the next frame, in the worker's thread."""
        super().configure(values)
        self._config = _recognizer_config(values)

    def process(self, message: FaceArray, stamp: float) -> int:
        """Publish the emotions of the faces of an image, and return how many they are."""
        self._recognizer.configure(self._config)
        crops = [(face, crop) for face in message.faces if (crop := self._crop(face)) is not None]
        emotions = self._recognizer.update(
            stamp, [face.id for face, _ in crops], [crop for _, crop in crops], [face.quality for face, _ in crops]
        )
        if self._recognizer.cleared:
            self.log.warning("The image stamps went backward: the windows of all persons were cleared.")
        self._publisher.publish(emotion_array(message.header, emotions))
        if self._hri is not None:
            self._hri.publish(message.header, emotions)
        return len(emotions)

    def _crop(self, face: Face) -> Image | None:
        """Return the aligned crop of a face, or None, with a line in the log, where it is not usable."""
        try:
            crop = to_bgr(face.aligned)
            if crop.shape[:2] != (ALIGNED_SIZE, ALIGNED_SIZE):
                raise ImageError(
                    f"The aligned crop of {face.id} is not {ALIGNED_SIZE}x{ALIGNED_SIZE} pixels: it is skipped."
                )
        except ImageError as error:
            self.log.error(error)
            return None
        return crop


def _recognizer_config(values: Mapping[str, Any]) -> RecognizerConfig:
    window_seconds, threshold = values["window_seconds"], values["unknown_threshold"]
    return RecognizerConfig(
        window_seconds=None if window_seconds == MODEL_DEFAULT else window_seconds,
        unknown_threshold=None if threshold == MODEL_DEFAULT else threshold,
        hysteresis=values["hysteresis"],
        min_quality=values["min_quality"],
    )
