"""A trained frame encoder as ONNX, by the contract of a model folder: the surround is in it, batch norm is folded."""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError, first_line
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.training.encoder.frame_encoder import TrainableEncoder

_OPSET = 17
_TRACED_SIZE = 96
_CHECKED_SIZES, _CHECKED_BATCHES = (64, 96, 128), (1, 3)
_LARGEST_DIFFERENCE = 1e-3


def export_encoder(model: TrainableEncoder, path: Path) -> None:
    """Write an encoder as ONNX: `image` [N, 3, S, S] -> `embedding` [N, D], `logits` [N, 7], N and S dynamic.

    Adapters (LoRA) are merged. The file is run at 64, 96 and 128 pixels, one image and three, before it gets its name.
    Raises TrainingError where it cannot be written or gives other numbers than the model.
    """
    model = copy.deepcopy(model).cpu().eval()
    model.merge_adapters()
    with tempfile.TemporaryDirectory() as folder, whole_path(path) as part:
        traced, simplified = Path(folder) / "traced.onnx", Path(folder) / "simplified.onnx"
        _trace(model, traced)
        _simplify(traced, simplified)
        check_export(model, simplified)
        part.write_bytes(simplified.read_bytes())


def check_export(model: TrainableEncoder, path: Path) -> None:
    """Raise TrainingError where an ONNX file and the model differ by more than 1e-3 in any output."""
    session = create_session(path, SessionConfig())
    chance = np.random.default_rng(0)
    for size in _CHECKED_SIZES:
        for batch in _CHECKED_BATCHES:
            image = chance.normal(size=(batch, 3, size, size)).astype(np.float32)
            with torch.inference_mode():
                expected = model(torch.from_numpy(image))
            given = session.run(["embedding", "logits"], {"image": image})
            difference = max(float(np.abs(one.numpy() - other).max()) for one, other in zip(expected, given))
            if not difference <= _LARGEST_DIFFERENCE:
                raise TrainingError(
                    f"The exported encoder differs from the trained one by {difference:.3g} at {size} pixels and "
                    f"{batch} images: it cannot be shipped."
                )


def _trace(model: TrainableEncoder, path: Path) -> None:
    """Write the graph as torch traces it. The exporter by tracing folds batch norm and needs no further package."""
    image = torch.zeros(2, 3, _TRACED_SIZE, _TRACED_SIZE)
    axes = {"image": {0: "N", 2: "S", 3: "S"}, "embedding": {0: "N"}, "logits": {0: "N"}}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (image,),
            str(path),
            input_names=["image"],
            output_names=["embedding", "logits"],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )


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
