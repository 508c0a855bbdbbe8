"""The parameters of every node. Defaults come from the dataclasses of core; config/ and the README repeat them."""

from __future__ import annotations

from dfer_ros.core.detection import DetectorConfig
from dfer_ros.core.detection.detector import DETECTORS
from dfer_ros.core.encoder import AUTO
from dfer_ros.core.model_folder import PRECISIONS
from dfer_ros.core.onnx_session import SessionConfig
from dfer_ros.core.recognizer import RecognizerConfig
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.nodes.parameter import Parameter

DEFAULT_FRAME_RATE = 30.0

_IMAGE = (
    Parameter("image_transport", "raw", "Transport of the input image.", choices=("raw", "compressed")),
    Parameter(
        "image_reliability",
        "auto",
        "Reliability asked of the camera; auto follows what it offers.",
        choices=("auto", "reliable", "best_effort"),
    ),
)
_THREADS = Parameter("threads", 1, "CPU threads of one inference or image operation.", minimum=1, maximum=64)


def _frame_rate(of: str) -> Parameter:
    return Parameter(
        "frame_rate", DEFAULT_FRAME_RATE, f"Most {of} processed per second.", "Hz", 0.1, 240.0, changeable=True
    )


FACE_DETECTOR = (
    *_IMAGE,
    _frame_rate("images"),
    Parameter(
        "detector", DetectorConfig.detector, "Face detector; auto takes mediapipe, else yunet.", choices=DETECTORS
    ),
    Parameter("detection_confidence", DetectorConfig.detection_confidence, "Least score of a detection.", "", 0.0, 1.0),
    Parameter(
        "yunet_model", DetectorConfig.yunet_model, "Path of YuNet's ONNX file; empty: where `dfer fetch yunet` puts it."
    ),
    Parameter(
        "yunet_width", DetectorConfig.yunet_width, "Width to which images are scaled for YuNet.", "pixels", 64, 4096
    ),
    Parameter(
        "confirm_frames", TrackerConfig.confirm_frames, "Consecutive frames before a face gets an id.", "frames", 1, 100
    ),
    Parameter("lost_seconds", TrackerConfig.lost_seconds, "How long the id of an unseen face is kept.", "s", 0.0, 60.0),
    _THREADS,
)

MODEL_DEFAULT = -1.0
"""A number that stands for the model's own value."""

DFER = (
    Parameter("model", RecognizerConfig.model, "Name of a shipped model, or path of a model folder."),
    Parameter(
        "precision",
        RecognizerConfig.precision,
        "Precision of the encoder; auto measures those that are there and takes the fastest.",
        choices=(AUTO, *PRECISIONS),
    ),
    Parameter(
        "providers",
        list(SessionConfig.providers),
        "ONNX Runtime execution providers in order of preference; the CPU is the last resort.",
    ),
    _THREADS,
    _frame_rate("face arrays"),
    Parameter(
        "window_seconds", MODEL_DEFAULT, "Longest span of a person's window; -1: the model's own.", "s", -1.0, 60.0
    ),
    Parameter(
        "unknown_threshold",
        MODEL_DEFAULT,
        "Least probability of a named expression; -1: the model's own.",
        "",
        -1.0,
        1.0,
        changeable=True,
    ),
    Parameter(
        "hysteresis",
        RecognizerConfig.hysteresis,
        "By how much another expression must be more likely to take over.",
        "",
        0.0,
        1.0,
        changeable=True,
    ),
    Parameter(
        "min_quality",
        RecognizerConfig.min_quality,
        "A person none of whose crops reaches this quality is unknown.",
        "",
        0.0,
        1.0,
        changeable=True,
    ),
)

OVERLAY = _IMAGE

VIDEO_SOURCE = (
    Parameter("source", "", "Video file, folder of images, or camera index."),
    Parameter("rate", 0.0, "Images published per second; 0: as recorded, 30 for a folder.", "Hz", 0.0, 240.0),
    Parameter("loop", False, "Begin again at the end; otherwise the node ends with its source."),
    Parameter("frame_id", "camera", "Frame id of the published images."),
)

TABLES = {
    "face_detector_node": FACE_DETECTOR,
    "dfer_node": DFER,
    "overlay_node": OVERLAY,
    "video_source_node": VIDEO_SOURCE,
}
