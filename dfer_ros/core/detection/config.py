"""How faces are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points

from dfer_ros.core.parameter import parameter

AUTO = "auto"
OWN_DETECTORS = ("mediapipe", "yunet", "haar", "mtcnn")
ENTRY_POINTS = "dfer_ros.detectors"
"""The group of entry points under which other packages register detectors: docs/detectors.md."""
PLUGINS = {point.name: point for point in entry_points(group=ENTRY_POINTS) if point.name not in (AUTO, *OWN_DETECTORS)}
"""The detectors of other packages that are installed, by name."""
DETECTORS = (AUTO, *OWN_DETECTORS, *PLUGINS)


@dataclass(frozen=True)
class DetectorConfig:
    """Which detector, and how it looks: YuNet is fast with a width of 320, and finds faces of 28 pixels with 640."""

    detector: str = parameter(
        AUTO,
        "Face detector; auto takes mediapipe, else yunet; haar and mtcnn are baselines; other packages may add more.",
        choices=DETECTORS,
    )
    detection_confidence: float = parameter(0.5, "Least score of a detection.", "", 0.0, 1.0, changeable=True)
    yunet_model: str = parameter("", "Path of YuNet's ONNX file; empty: where `dfer fetch yunet` puts it.")
    yunet_width: int = parameter(320, "Width to which images are scaled for YuNet.", "pixels", 64, 4096)
