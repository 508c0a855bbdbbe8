"""faces -> emotions: keeps a temporal window for every person and answers with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rclpy.node import Node

from dfer_msgs.msg import EmotionArray, Face, FaceArray
from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.onnx_session import SessionConfig
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.core.stamps import RateLimiter
from dfer_ros.nodes.image_conversion import to_bgr
from dfer_ros.nodes.latest_worker import LatestWorker
from dfer_ros.nodes.messages import emotion_array
from dfer_ros.nodes.parameter import declare_parameters
from dfer_ros.nodes.parameters.dfer import DFER, MODEL_DEFAULT
from dfer_ros.nodes.quality_of_service import OUTPUT, latest_only
from dfer_ros.nodes.run_node import bound_opencv_threads, run_node
from dfer_ros.nodes.stamp import stamp_seconds
from dfer_ros.nodes.throttled_log import ThrottledLog

NAME = "dfer_node"


class DferNode(Node):
    """Subscribes to `faces`, publishes `emotions`: one EmotionArray for every FaceArray processed, with its stamp."""

    def __init__(self) -> None:
        super().__init__(NAME)
        values = declare_parameters(self, DFER, self._on_parameters)
        bound_opencv_threads(values["threads"])
        self._config = _recognizer_config(values)
        self._recognizer = Recognizer(self._config)
        self._limiter = RateLimiter(values["frame_rate"])
        self._log = ThrottledLog(self.get_logger())
        self._publisher = self.create_publisher(EmotionArray, "emotions", OUTPUT)
        self._worker: LatestWorker[FaceArray] = LatestWorker(self._process, self._log.error)
        self._faces = self.create_subscription(FaceArray, "faces", self._on_faces, latest_only())
        self._log_start(values)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _on_parameters(self, values: Mapping[str, Any]) -> None:
        self._limiter.rate = values["frame_rate"]
        self._config = _recognizer_config(values)

    def _on_faces(self, message: FaceArray) -> None:
        if self._limiter.accepts(stamp_seconds(message.header, self.get_clock())):
            self._worker.put(message)

    def _process(self, message: FaceArray) -> None:
        self._recognizer.configure(self._config)
        crops = [(face, crop) for face in message.faces if (crop := self._crop(face)) is not None]
        emotions = self._recognizer.update(
            stamp_seconds(message.header, self.get_clock()),
            [face.id for face, _ in crops],
            [crop for _, crop in crops],
            [face.quality for face, _ in crops],
        )
        if self._recognizer.cleared:
            self._log.warning("The image stamps went backward: the windows of all persons were cleared.")
        self._publisher.publish(emotion_array(message.header, emotions))

    def _crop(self, face: Face) -> Image | None:
        """Return the aligned crop of a face, or None, with a line in the log, where it is not usable."""
        try:
            crop = to_bgr(face.aligned)
            if crop.shape[:2] != (ALIGNED_SIZE, ALIGNED_SIZE):
                raise ImageError(
                    f"The aligned crop of {face.id} is not {ALIGNED_SIZE}x{ALIGNED_SIZE} pixels: it is skipped."
                )
        except ImageError as error:
            self._log.error(error)
            return None
        return crop

    def _log_start(self, values: Mapping[str, Any]) -> None:
        encoder = self._recognizer.encoder
        for provider in values["providers"]:
            if provider not in encoder.providers:
                self.get_logger().warning(
                    f"The execution provider {provider} is not installed or cannot be loaded: going on without it; "
                    "install the ONNX Runtime that has it or correct 'providers'."
                )
        self.get_logger().info(
            f"Reading emotions with {self._recognizer.model.path.name}, {encoder.precision} on {encoder.providers[0]}."
        )


def _recognizer_config(values: Mapping[str, Any]) -> RecognizerConfig:
    window_seconds, threshold = values["window_seconds"], values["unknown_threshold"]
    return RecognizerConfig(
        model=values["model"],
        precision=values["precision"],
        session=SessionConfig(tuple(values["providers"]), values["threads"]),
        window_seconds=None if window_seconds == MODEL_DEFAULT else window_seconds,
        unknown_threshold=None if threshold == MODEL_DEFAULT else threshold,
        hysteresis=values["hysteresis"],
        min_quality=values["min_quality"],
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, DferNode, arguments)


if __name__ == "__main__":
    main()
