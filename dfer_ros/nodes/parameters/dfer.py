"""The parameters of dfer_node."""

from __future__ import annotations

from dfer_ros.core.encoder import AUTO
from dfer_ros.core.model_folder import PRECISIONS
from dfer_ros.core.onnx_session import SessionConfig
from dfer_ros.core.recognizer import RecognizerConfig
from dfer_ros.nodes.parameter import Parameter
from dfer_ros.nodes.parameters.common import THREADS, frame_rate

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
    THREADS,
    frame_rate("face arrays"),
    Parameter(
        "window_seconds",
        MODEL_DEFAULT,
        "Longest span of a person's window; -1: the model's own.",
        "s",
        0.1,
        60.0,
        stand_in=MODEL_DEFAULT,
    ),
    Parameter(
        "unknown_threshold",
        MODEL_DEFAULT,
        "Least probability of a named expression; -1: the model's own.",
        "",
        0.0,
        1.0,
        stand_in=MODEL_DEFAULT,
        changeable=True,
    ),
    Parameter(
        "hysteresis",
        RecognizerConfig.hysteresis,
        "How much more likely another expression must be to take over, and one above the threshold after unknown.",
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
