"""Face detectors behind one protocol."""

from dfer_ros.core.detection.config import DETECTORS, DetectorConfig
from dfer_ros.core.detection.detector import FaceDetector, RegionDetector, create_detector

__all__ = ["DETECTORS", "DetectorConfig", "FaceDetector", "RegionDetector", "create_detector"]
