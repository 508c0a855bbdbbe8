"""The face detector protocol, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Protocol, runtime_checkable

from dfer_ros.core.detection.config import AUTO, DETECTORS, PLUGINS, DetectorConfig
from dfer_ros.core.detection.haar_detector import HaarDetector
from dfer_ros.core.detection.mediapipe_detector import MediaPipeDetector
from dfer_ros.core.detection.mtcnn_detector import MtcnnDetector
from dfer_ros.core.detection.yunet_detector import YuNetDetector, find_yunet_model
from dfer_ros.core.errors import DetectorError, first_line
from dfer_ros.core.faces import Detection, Image


@runtime_checkable
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
    if config.detector in PLUGINS:
        return _create_plugin(PLUGINS[config.detector], config)
    if config.detector in _CREATORS:
        return _CREATORS[config.detector](config)
    if config.detector != AUTO:
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


_CREATORS: Mapping[str, Callable[[DetectorConfig], FaceDetector]] = {
    "mediapipe": MediaPipeDetector,
    "yunet": _create_yunet,
    "haar": HaarDetector,
    "mtcnn": MtcnnDetector,
}


def _create_plugin(point: EntryPoint, config: DetectorConfig) -> FaceDetector:
    """Return the detector of another package. Raises DetectorError, whatever goes wrong in it."""
    try:
        detector = point.load()(config)
    except DetectorError:
        raise
    except Exception as error:  # code of others
        raise DetectorError(
            f"The detector '{point.name}' ({point.value}) cannot be made: {first_line(error)}"
        ) from error
    if not isinstance(detector, FaceDetector):
        raise DetectorError(
            f"The detector '{point.name}' ({point.value}) lacks what docs/detectors.md asks of one: name, model, "
            "provider, detect(), configure() and close()."
        )
    return detector
