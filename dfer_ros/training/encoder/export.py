"""A trained frame encoder as ONNX, by the contract of a model folder: the surround is in it, batch norm is folded.

Through ONNX Runtime it is several times as fast on a CPU as the network that was trained.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError, first_line
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.folder import ModelDescription
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.training.encoder.frame_encoder import TrainableEncoder
from dfer_ros.training.encoder.session import Encoder, EncoderSession
from dfer_ros.training.encoder.trained_encoder import MEAN, STD, TrainedEncoder
from dfer_ros.training.onnx_export import check_onnx, export_onnx

_OUTPUTS = ("embedding", "logits")
_AXES = {"image": {0: "N", 2: "S", 3: "S"}, "embedding": {0: "N"}, "logits": {0: "N"}}
_TRACED_SIZE = 96
_CHECKED_SIZES, _CHECKED_BATCHES = (64, 96, 128), (1, 3)


def export_encoder(model: TrainableEncoder, path: Path) -> None:
    """Write an encoder as ONNX: `image` [N, 3, S, S] -> `embedding` [N, D], `logits` [N, 7], N and S dynamic.

    Adapters (LoRA) are merged. The file is run at 64, 96 and 128 pixels, one image and three, before it gets its name.
    Raises TrainingError where it cannot be written or gives other numbers than the model.
    """
    model = copy.deepcopy(model).cpu().eval()
    model.merge_adapters()
    with tempfile.TemporaryDirectory() as folder, whole_path(path) as part:
        traced, simplified = Path(folder) / "traced.onnx", Path(folder) / "simplified.onnx"
        example = {"image": torch.zeros(2, 3, _TRACED_SIZE, _TRACED_SIZE)}
        export_onnx(model, example, _OUTPUTS, _AXES, traced)
        _simplify(traced, simplified)
        check_export(model, simplified)
        part.write_bytes(simplified.read_bytes())


def check_export(model: TrainableEncoder, path: Path) -> None:
    """Raise TrainingError where an ONNX file and the model differ by more than 1e-3 in any output."""
    session = create_session(path, SessionConfig())
    chance = np.random.default_rng(0)
    for size in _CHECKED_SIZES:
        for batch in _CHECKED_BATCHES:
            image = torch.from_numpy(chance.normal(size=(batch, 3, size, size)).astype(np.float32))
            check_onnx(model, session, {"image": image}, _OUTPUTS)


def _simplify(traced: Path, simplified: Path) -> None:
    """Fold constants and drop what does nothing; the result holds standard operators only."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(simplified)
    options.log_severity_level = 3
    try:
        onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a class of its own for every status code
        raise TrainingError(f"ONNX Runtime cannot load the exported encoder: {first_line(error)}") from error
    graph = onnx.load(simplified)
    used = {node.domain for node in graph.graph.node}
    for operators in [operators for operators in graph.opset_import if operators.domain not in used]:
        graph.opset_import.remove(operators)
    onnx.save(graph, simplified)


def exported_encoder(trained: TrainedEncoder) -> Encoder:
    """Return the same encoder as a session, or itself where it computes in 16 bits, which is faster still."""
    if trained.bfloat16:
        return trained
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        export_encoder(trained.model, path)
        return EncoderSession(path, describe(trained))


def describe(trained: TrainedEncoder) -> ModelDescription:
    """Return how crops are prepared for an encoder, as a model folder says it."""
    return ModelDescription(
        labels=LABELS,
        crop=trained.surround.crop,
        input_size=trained.input_size,
        mean=MEAN,
        std=STD,
        window_seconds=1.0,
        window_frames=1,
        temperature=1.0,
        unknown_threshold=0.0,
        sha256={},
    )
