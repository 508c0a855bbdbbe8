"""Face detectors behind one protocol."""

from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.detection.detector import FaceDetector, create_detector

__all__ = ["DetectorConfig", "FaceDetector", "create_detector"]
