"""From torch to ONNX, and the check that a file gives what the model gives."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from dfer_ros.core.errors import TrainingError

_OPSET = 17


def export_onnx(
    model: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    path: Path,
) -> None:
    """Write a model as ONNX by tracing it, which folds batch norm and needs no further package.

    inputs: an example of each, by name. axes: names of the dynamic axes of inputs and outputs, by index.
    """
    with warnings.catch_warnings(), torch.inference_mode():
        # The exporter warns of its own age, and of GRUs with a batch of another size, which check_onnx() tries out.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(of_name) for name, of_name in axes.items()},
            opset_version=_OPSET,
            dynamo=False,
        )


def check_onnx(
    model: nn.Module,
    session: onnxruntime.InferenceSession,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    absolute: float = 1e-3,
    relative: float = 0.0,
) -> None:
    """Raise TrainingError where any output of a file is further from that of the model than is allowed.

    absolute, relative: what is allowed; the latter in largest values of the output.
    """
    with torch.inference_mode():
        answer = model(*inputs.values())
    expected = (answer,) if isinstance(answer, torch.Tensor) else answer
    given = session.run(list(outputs), {name: tensor.numpy() for name, tensor in inputs.items()})
    for name, one, other in zip(outputs, expected, given, strict=True):
        difference = float(np.abs(one.numpy() - other).max()) if one.shape == other.shape else float("inf")
        if not difference <= absolute + relative * float(one.abs().max()):
            shapes = " and ".join(f"{name} {list(tensor.shape)}" for name, tensor in inputs.items())
            raise TrainingError(
                f"The exported model differs from the trained one by {difference:.3g} in '{name}' for {shapes}: it "
                "cannot be shipped."
            )
