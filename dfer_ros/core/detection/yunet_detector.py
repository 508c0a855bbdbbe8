"""YuNet through OpenCV: small faces, and every Python that mediapipe 0.10.21 does not reach."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, FloatArray, Image

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

_NMS_THRESHOLD = 0.3
_MOST_FACES = 200
_CELL = 32
"""Coarsest step of the network in pixels; in an image of one such step across, OpenCV 4.11 finds faces that are not."""


def yunet_default_path() -> Path:
    """Return where `dfer fetch yunet` puts the model: $XDG_DATA_HOME/dfer_ros or ~/.local/share/dfer_ros."""
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "dfer_ros" / YUNET_FILE


def find_yunet_model(path: str) -> Path:
    """Return the model file that path names, or the fetched one where path is empty.

    Raises DetectorError where there is no such file.
    """
    model = Path(path).expanduser() if path else yunet_default_path()
    if not model.is_file():
        raise DetectorError(
            f"The YuNet detector has no model file at {model}: run 'dfer fetch yunet', "
            "or set the parameter yunet_model to the file."
        )
    return model


class YuNetDetector:
    """OpenCV's FaceDetectorYN (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023).

    Takes as many threads as cv2.setNumThreads() allows; more than one gains little.
    Raises DetectorError where OpenCV cannot read the model file.
    """

    name = "yunet"
    provider = "OpenCV, CPU"

    def __init__(self, model: Path, config: DetectorConfig) -> None:
        self.model = model
        self._width = width = config.yunet_width
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model), "", (width, width), config.detection_confidence, _NMS_THRESHOLD, _MOST_FACES
            )
            # OpenCV before 4.8 loads the model and fails on the first image.
            self.detect(np.zeros((4 * _CELL, 4 * _CELL, 3), dtype=np.uint8))
        except (cv2.error, AttributeError) as error:
            raise DetectorError(
                f"OpenCV {cv2.__version__} cannot use the YuNet model {model}: it takes OpenCV 4.8 or newer "
                "('pip install opencv-contrib-python') and the whole file ('dfer fetch yunet')."
            ) from error

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence from the next image on."""
        self._network.setScoreThreshold(config.detection_confidence)

    def close(self) -> None:
        """Do nothing: the network goes with this object."""

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR."""
        height, width = image.shape[:2]
        scale = min(1.0, self._width / width)
        size = (round(width * scale), round(height * scale))
        if min(size) <= _CELL:
            return []
        if scale < 1.0:
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        self._network.setInputSize(size)
        rows = self._network.detect(image)[1]
        if rows is None:
            return []
        rows = rows[np.isfinite(rows).all(axis=1)]
        rows[:, :14] *= np.tile((width / size[0], height / size[1]), 7)
        return [_to_detection(row) for row in rows]


def _to_detection(row: FloatArray) -> Detection:
    points = row[4:14].reshape(5, 2)
    mouth = points[3:5].mean(axis=0)
    landmarks = np.vstack([points[:3], mouth]).astype(np.float32)
    return Detection(box=row[:4].astype(np.float32), landmarks=landmarks, confidence=float(row[14]))
