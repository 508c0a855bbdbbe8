"""Face detectors behind one protocol."""

from dfer_ros.core.detection.detector import DetectorConfig, FaceDetector, create_detector

__all__ = ["DetectorConfig", "FaceDetector", "create_detector"]
