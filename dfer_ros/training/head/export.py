"""Heads and clip models as ONNX files, checked against torch before anybody uses them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.training.experiments.conv3d.network import Conv3d
from dfer_ros.training.head.trainable_head import HeadOutput, TrainableHead

_OPSET = 17
_TOLERANCE = 1e-3
_INPUTS = ("embeddings", "ages", "mask")
# Persons and frames of the windows on which a file is tried.
_TRIALS = ((1, 1), (1, 32), (3, 7), (2, 40))


def export_head(head: TrainableHead, path: Path) -> None:
    """Write head.onnx: embeddings [P, T, D], ages [P, T], mask [P, T] to logits, intensity and phase; P, T dynamic.

    Raises TrainingError where the file cannot be written or does not give what the head gives.
    """
    head = head.eval()
    with whole_path(path) as part:
        _export(head, _windows(head, 2, 8), part, _INPUTS, HeadOutput._fields, {0: "P", 1: "T"})
        session = onnxruntime.InferenceSession(str(part))
        for persons, frames in _TRIALS:
            inputs = _windows(head, persons, frames)
            with torch.inference_mode():
                expected = head(*inputs)
            got = session.run(list(HeadOutput._fields), dict(zip(_INPUTS, (tensor.numpy() for tensor in inputs))))
            _compare(path, expected, got)


def export_clip_model(model: Conv3d, frames: int, size: int, path: Path) -> None:
    """Write a clip model: clips [P, 3, T, S, S] to logits [P, 7]; P and T dynamic.

    Raises TrainingError where the file cannot be written or does not give what the model gives.
    """
    model = model.eval()
    clip = torch.randn(1, 3, frames, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model(clip)
    with whole_path(path) as part:
        _export(model, (clip,), part, ("clips",), ("logits",), {0: "P", 2: "T"})
        session = onnxruntime.InferenceSession(str(part))
        _compare(path, (expected,), session.run(["logits"], {"clips": clip.numpy()}))


def _export(
    model: nn.Module,
    example: tuple[torch.Tensor, ...],
    path: Path,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    axes: dict[int, str],
) -> None:
    dynamic = dict.fromkeys(inputs, axes) | {name: {0: axes[0]} for name in outputs}
    with warnings.catch_warnings():
        # The exporter warns of its own age and of GRUs with a batch of another size, which are tried out below.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dynamic,
            opset_version=_OPSET,
            dynamo=False,
        )


def _windows(head: TrainableHead, persons: int, frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return windows of many kinds: full ones, one with padding, one of a quality close to 0, one without frames."""
    chance = torch.Generator().manual_seed(persons * 100 + frames)
    embeddings = torch.rand(persons, frames, head.weight.shape[0], generator=chance)
    ages = torch.rand(persons, frames, generator=chance).sort(dim=1, descending=True).values * 2.0
    ages = ages - ages[:, -1:]
    mask = torch.rand(persons, frames, generator=chance).clamp(min=0.05)
    if persons > 1:
        mask[0] = 1e-3
        kept = max(frames // 2, 1)
        mask[1, kept:] = 0.0
        ages[1] = (ages[1] - ages[1, kept - 1]).clamp(min=0.0)
    if persons > 2:
        mask[2] = 0.0
    return embeddings, ages, mask


def _compare(path: Path, expected: tuple[torch.Tensor, ...], got: list[FloatArray]) -> None:
    for one, other in zip(expected, got):
        difference = float(np.abs(one.numpy() - other).max()) if one.shape == other.shape else float("inf")
        if not difference <= _TOLERANCE * (1.0 + float(one.abs().max())):
            raise TrainingError(f"{path} does not give what the model gives in torch: they differ by {difference:.2g}.")
