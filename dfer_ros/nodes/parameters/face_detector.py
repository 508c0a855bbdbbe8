"""The parameters of face_detector_node."""

from __future__ import annotations

from dfer_ros.core.detection import DetectorConfig
from dfer_ros.core.detection.detector import DETECTORS
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.ros.diagnostics_parameters import DIAGNOSTICS
from dfer_ros.ros.parameter import Parameter
from dfer_ros.ros.shared_parameters import HRI, IMAGE, MANAGED, THREADS, frame_rate, max_wait

FACE_DETECTOR = (
    *MANAGED,
    *IMAGE,
    frame_rate("images"),
    max_wait("Images"),
    Parameter(
        "detector", DetectorConfig.detector, "Face detector; auto takes mediapipe, else yunet.", choices=DETECTORS
    ),
    Parameter(
        "detection_confidence",
        DetectorConfig.detection_confidence,
        "Least score of a detection.",
        "",
        0.0,
        1.0,
        changeable=True,
    ),
    Parameter(
        "yunet_model", DetectorConfig.yunet_model, "Path of YuNet's ONNX file; empty: where `dfer fetch yunet` puts it."
    ),
    Parameter(
        "yunet_width", DetectorConfig.yunet_width, "Width to which images are scaled for YuNet.", "pixels", 64, 4096
    ),
    Parameter(
        "confirm_frames",
        TrackerConfig.confirm_frames,
        "Consecutive frames before a face gets an id.",
        "frames",
        1,
        100,
        changeable=True,
    ),
    Parameter(
        "lost_seconds",
        TrackerConfig.lost_seconds,
        "How long the id of an unseen face is kept.",
        "s",
        0.0,
        60.0,
        changeable=True,
    ),
    Parameter("id_prefix", "", "Begin of every face id, a letter first; keeps several cameras apart."),
    HRI,
    THREADS,
    *DIAGNOSTICS,
)
