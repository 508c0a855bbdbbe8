"""How faces are looked for."""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.core.parameter import parameter

DETECTORS = ("auto", "mediapipe", "yunet")


@dataclass(frozen=True)
class DetectorConfig:
    """Which detector, and how it looks: YuNet is fast with a width of 320, and finds faces of 28 pixels with 640."""

    detector: str = parameter("auto", "Face detector; auto takes mediapipe, else yunet.", choices=DETECTORS)
    detection_confidence: float = parameter(0.5, "Least score of a detection.", "", 0.0, 1.0, changeable=True)
    yunet_model: str = parameter("", "Path of YuNet's ONNX file; empty: where `dfer fetch yunet` puts it.")
    yunet_width: int = parameter(320, "Width to which images are scaled for YuNet.", "pixels", 64, 4096)
