"""The face detector protocol, and the choice of one by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dfer_ros.core.detection.mediapipe_detector import MediaPipeDetector
from dfer_ros.core.detection.yunet_detector import YuNetDetector, find_yunet_model
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, Image

DETECTORS = ("auto", "mediapipe", "yunet")


@dataclass(frozen=True)
class DetectorConfig:
    """detector: one of DETECTORS.

    detection_confidence: least score 0..1 of a detection.
    yunet_model: path of YuNet's ONNX file; empty: the place where `dfer fetch yunet` puts it.
    yunet_width: width in pixels to which images are scaled for YuNet: 320 is fast, 640 finds faces of 28 pixels.
    """

    detector: str = "auto"
    detection_confidence: float = 0.5
    yunet_model: str = ""
    yunet_width: int = 320


class FaceDetector(Protocol):
    """Finds faces in images. Not thread safe: one detector belongs to one thread."""

    name: str

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR, in pixels of that image, in no particular order."""
        ...


def create_detector(config: DetectorConfig) -> FaceDetector:
    """Return the detector that config names; `auto` takes MediaPipe where it is installed, else YuNet.

    Raises DetectorError with a sentence that says what to install when there is none.
    """
    if config.detector == "yunet":
        return _create_yunet(config)
    if config.detector == "mediapipe":
        return MediaPipeDetector(config.detection_confidence)
    if config.detector != "auto":
        raise DetectorError(f"Detector '{config.detector}' is not known: use one of {', '.join(DETECTORS)}.")
    try:
        return MediaPipeDetector(config.detection_confidence)
    except DetectorError as mediapipe_error:
        try:
            return _create_yunet(config)
        except DetectorError as yunet_error:
            raise DetectorError(f"No face detector is available. {mediapipe_error} {yunet_error}") from yunet_error


def _create_yunet(config: DetectorConfig) -> FaceDetector:
    return YuNetDetector(find_yunet_model(config.yunet_model), config.detection_confidence, config.yunet_width)
