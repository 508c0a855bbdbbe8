"""MediaPipe's face detectors: full range, down to faces of 40 pixels in 640x480, and short range for close-ups."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, FloatArray, Image

_SHORT_RANGE, _FULL_RANGE = "short_range", "full_range"
_FULL_RANGE_MARGIN = 0.1
"""How much higher the full-range model scores what is no face: MediaPipe's own thresholds are 0.6 for it, else 0.5."""
_CLOSE_UP = 0.2
"""Least width of a face, in shorter sides of the image, that the short-range model alone may find."""
_LONGEST_SIDE = 320
"""Larger images are shrunk to this first: the network sees 192 pixels, and sampling those from more would alias."""


class MediaPipeDetector:
    """BlazeFace from the mediapipe 0.10.21 wheel, the last that carries the models.

    The full-range model looks first. It misses faces that fill half of the image, so where it finds none the
    short-range model looks as well. All work is done in the thread that calls detect(), and in no other.
    Raises DetectorError where mediapipe is missing or carries no face models.
    """

    name = "mediapipe"
    provider = "MediaPipe, CPU"

    def __init__(self, config: DetectorConfig) -> None:
        self._confidence = config.detection_confidence
        try:
            with _quiet_stderr(), _without_matplotlib():
                self._start()
        except (ImportError, AttributeError, IndexError, FileNotFoundError) as error:
            raise DetectorError(
                "The MediaPipe detector needs the wheel mediapipe==0.10.21 (x86_64, Python 3.10 to 3.12): "
                f"'pip install mediapipe==0.10.21' ({error})."
            ) from error

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence; where it changed, the graphs start anew, which takes as long as an image."""
        if config.detection_confidence == self._confidence:
            return
        self._confidence = config.detection_confidence
        self.close()
        self._start()

    def close(self) -> None:
        """Free the graphs: 20 MB that Python would never give back by itself."""
        self._full_range.close()
        self._short_range.close()

    def _start(self) -> None:
        self.model = _model_folder() / "face_detection_full_range_sparse.tflite"
        self._full_range = _create_graph(_FULL_RANGE, min(self._confidence + _FULL_RANGE_MARGIN, 1.0))
        self._short_range = _create_graph(_SHORT_RANGE, self._confidence)
        # The first image is slow: it starts the graphs.
        self.detect(np.zeros((64, 64, 3), dtype=np.uint8))

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR."""
        height, width = image.shape[:2]
        scale = _LONGEST_SIDE / max(height, width)
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        pixels = np.array((width, height), dtype=np.float32)
        found = [_to_detection(detection, pixels) for detection in self._full_range.process(rgb).detections or ()]
        if found:
            return found
        close = [_to_detection(detection, pixels) for detection in self._short_range.process(rgb).detections or ()]
        return [detection for detection in close if detection.box[2] >= _CLOSE_UP * pixels.min()]


def _create_graph(model: str, confidence: float) -> Any:
    """Return MediaPipe's own graph around a model, but one that starts no threads and obeys the confidence.

    mediapipe.solutions.FaceDetection gives every graph a pool of as many threads as there are cores, which wake each
    other for every image; in the caller's thread the same image is done sooner. And it sets min_detection_confidence
    where 0.10.21 does not look any more, so that it has no effect.
    """
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
    from mediapipe.modules.face_detection.face_detection_pb2 import FaceDetectionOptions
    from mediapipe.python.solution_base import SolutionBase

    file = _model_folder() / f"face_detection_{model}_cpu.binarypb"
    config = CalculatorGraphConfig.FromString(file.read_bytes())
    config.graph_options[0].Pack(FaceDetectionOptions(min_score_thresh=confidence))
    config.executor.add(type="ApplicationThreadExecutor")
    return SolutionBase(graph_config=config, outputs=["detections"])


def _model_folder() -> Path:
    import mediapipe

    return Path(mediapipe.__file__).parent / "modules" / "face_detection"


class _PlotsOnUse(ModuleType):
    """Stands in for matplotlib and its pyplot until something of the latter is used."""

    pyplot: ModuleType

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("matplotlib.pyplot"), name)


@contextlib.contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Keep mediapipe from importing matplotlib: half of its time and memory for one of its drawings, not used here."""
    names = ("matplotlib", "matplotlib.pyplot")
    if names[0] in sys.modules:
        yield
        return
    plots = _PlotsOnUse(names[0])
    plots.pyplot = plots
    sys.modules.update(dict.fromkeys(names, plots))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep from the terminal what the libraries below MediaPipe say at their start, whatever their log level."""
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _to_detection(detection: Any, pixels: FloatArray) -> Detection:
    location = detection.location_data
    box = location.relative_bounding_box
    keypoints = [(point.x, point.y) for point in location.relative_keypoints[:4]]
    return Detection(
        box=np.array((box.xmin, box.ymin, box.width, box.height), dtype=np.float32) * np.tile(pixels, 2),
        landmarks=np.array(keypoints, dtype=np.float32) * pixels,
        confidence=float(detection.score[0]),
    )
