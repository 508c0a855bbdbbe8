"""How faces are looked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorConfig:
    """detector: auto, mediapipe or yunet.

    detection_confidence: least score 0..1 of a detection.
    yunet_model: path of YuNet's ONNX file; empty: the place where `dfer fetch yunet` puts it.
    yunet_width: width in pixels to which images are scaled for YuNet: 320 is fast, 640 finds faces of 28 pixels.
    """

    detector: str = "auto"
    detection_confidence: float = 0.5
    yunet_model: str = ""
    yunet_width: int = 320
