"""The parameters of dfer_node."""

from __future__ import annotations

from dfer_ros.core.model.description import LARGEST_SIZE, SMALLEST_SIZE
from dfer_ros.core.model.emotion_model import EmotionModelConfig
from dfer_ros.core.model.encoder import AUTO
from dfer_ros.core.model.folder import PRECISIONS
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.recognizer import RecognizerConfig
from dfer_ros.nodes.hri.images import ALIGNMENTS, DEFAULT_ALIGNMENT
from dfer_ros.ros.diagnostics_parameters import DIAGNOSTICS
from dfer_ros.ros.parameter import Parameter
from dfer_ros.ros.shared_parameters import HRI, MANAGED, THREADS, frame_rate, max_wait

MODEL_DEFAULT = -1.0
"""A number that stands for the model's own value."""
OWN_INPUT_SIZE = EmotionModelConfig.input_size

DFER = (
    *MANAGED,
    Parameter(
        "input",
        "faces",
        "Where the faces come from: faces, the topic of face_detector_node, or hri, any detector of ROS4HRI.",
        choices=("faces", "hri"),
    ),
    Parameter(
        "cameras",
        [""],
        "Names of the cameras served: <name>/faces to <name>/emotions; an empty name: faces to emotions.",
    ),
    Parameter(
        "hri_alignment",
        DEFAULT_ALIGNMENT,
        "With input hri: the detector whose `aligned` images are read.",
        choices=tuple(ALIGNMENTS),
    ),
    HRI,
    Parameter("model", EmotionModelConfig.model, "Name of a shipped model, or path of a model folder."),
    Parameter(
        "precision",
        EmotionModelConfig.precision,
        "Precision of the encoder; auto measures those that are there and takes the fastest.",
        choices=(AUTO, *PRECISIONS),
    ),
    Parameter(
        "input_size",
        OWN_INPUT_SIZE,
        "Side to which the crops are scaled for the encoder, found by `dfer tune`; 0: the model's own.",
        "pixels",
        SMALLEST_SIZE,
        LARGEST_SIZE,
        stand_in=OWN_INPUT_SIZE,
    ),
    Parameter(
        "providers",
        list(SessionConfig.providers),
        "Execution providers in order of preference: cpu, cuda, tensorrt, openvino or others; the CPU is the last.",
    ),
    THREADS,
    frame_rate("face arrays"),
    max_wait("Face arrays"),
    Parameter(
        "window_seconds",
        MODEL_DEFAULT,
        "Longest span of a person's window; -1: the model's own.",
        "s",
        0.1,
        60.0,
        stand_in=MODEL_DEFAULT,
        changeable=True,
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
    *DIAGNOSTICS,
)
