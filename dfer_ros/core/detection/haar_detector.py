"""OpenCV's cascade with histogram equalisation, as many published systems find faces: a baseline, not a choice."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.alignment import TEMPLATE
from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, Image

_SCALE_STEP, _NEIGHBOURS = 1.1, 5
"""The arguments of OpenCV's own tutorial: the second stands for a confidence of 0.5."""
_EYE_DISTANCE = 0.38
"""Of the eyes in the cascade's boxes, in their width: it knows no landmarks, so they are where most have them."""
_LANDMARKS = 0.5 + (TEMPLATE - 0.5) * _EYE_DISTANCE / (TEMPLATE[1, 0] - TEMPLATE[0, 0])


class HaarDetector:
    """Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", 2001; frontal faces.

    Its landmarks are those of a face that fills the box as most do. Raises DetectorError where OpenCV has no cascade.
    """

    name = "haar"
    provider = "OpenCV, CPU"

    def __init__(self, config: DetectorConfig) -> None:
        self.model = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(self.model))
        if self._cascade.empty():
            raise DetectorError(
                f"The Haar detector has no cascade at {self.model}: 'pip install opencv-contrib-python'."
            )
        self.configure(config)

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence from the next image on."""
        self._confidence = config.detection_confidence

    def close(self) -> None:
        """Do nothing: the cascade goes with this object."""

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR; a confidence says how many neighbours agree."""
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        least = max(1, round(_NEIGHBOURS * self._confidence / max(1.0 - self._confidence, 1e-3)))
        boxes, neighbours = self._cascade.detectMultiScale2(grey, scaleFactor=_SCALE_STEP, minNeighbors=least)
        found = []
        for box, count in zip(np.reshape(boxes, (-1, 4)).astype(np.float32), np.ravel(neighbours)):
            landmarks = (box[:2] + _LANDMARKS * box[2:]).astype(np.float32)
            found.append(Detection(box, landmarks, float(count / (count + _NEIGHBOURS))))
        return found
