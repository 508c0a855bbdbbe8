"""The face detector protocol, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from dfer_ros.core.detection.config import DETECTORS, DetectorConfig
from dfer_ros.core.detection.mediapipe_detector import MediaPipeDetector
from dfer_ros.core.detection.yunet_detector import YuNetDetector, find_yunet_model
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, Image


class FaceDetector(Protocol):
    """Finds faces in images. Not thread safe: one detector belongs to one thread.

    model: the file of its network. provider: what runs it, and on which hardware.
    """

    name: str
    model: Path
    provider: str

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR, in pixels of that image, in no particular order."""
        ...

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence from the next image on; what else changes takes a new detector."""
        ...

    def close(self) -> None:
        """Free what the detector holds; it finds nothing any more."""
        ...


@runtime_checkable
class RegionDetector(FaceDetector, Protocol):
    """A detector for which a part of an image is less work than the whole image."""

    def follow(self, image: Image, faces: Sequence[Detection]) -> list[Detection] | None:
        """Return known faces where they are in a new image, in their order, each near where it is expected.

        None: one was not found there, or the whole image is the cheaper look.
        """
        ...


def create_detector(config: DetectorConfig) -> FaceDetector:
    """Return the detector that config names; `auto` takes MediaPipe where it is installed, else YuNet.

    Raises DetectorError with a sentence that says what to install when there is none.
    """
    if config.detector == "yunet":
        return _create_yunet(config)
    if config.detector == "mediapipe":
        return MediaPipeDetector(config)
    if config.detector != "auto":
        raise DetectorError(f"Detector '{config.detector}' is not known: use one of {', '.join(DETECTORS)}.")
    try:
        return MediaPipeDetector(config)
    except DetectorError as mediapipe_error:
        try:
            return _create_yunet(config)
        except DetectorError as yunet_error:
            raise DetectorError(f"No face detector is available. {mediapipe_error} {yunet_error}") from yunet_error


def _create_yunet(config: DetectorConfig) -> FaceDetector:
    return YuNetDetector(find_yunet_model(config.yunet_model), config)
