"""Face detectors behind one protocol."""

from dfer_ros.core.detection.config import DETECTORS, PLUGINS, DetectorConfig
from dfer_ros.core.detection.detector import FaceDetector, RegionDetector, create_detector

__all__ = ["DETECTORS", "PLUGINS", "DetectorConfig", "FaceDetector", "RegionDetector", "create_detector"]
