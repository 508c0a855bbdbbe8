"""A head as an ONNX file, checked against torch before anybody uses it."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import torch

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.training.head.trainable_head import HeadOutput, TrainableHead
from dfer_ros.training.onnx_export import check_onnx, export_onnx

_TOLERANCE = 1e-3
_INPUTS, _OUTPUTS = ("embeddings", "ages", "mask"), HeadOutput._fields
_AXES = {name: {0: "P", 1: "T"} for name in _INPUTS} | {name: {0: "P"} for name in _OUTPUTS}
# Persons and frames of the windows on which a file is tried.
_TRIALS = ((1, 1), (1, 32), (3, 7), (2, 40))


def export_head(head: TrainableHead, path: Path) -> None:
    """Write head.onnx: embeddings [P, T, D], ages [P, T], mask [P, T] to logits, intensity and phase; P, T dynamic.

    Raises TrainingError where the file cannot be written or does not give what the head gives.
    """
    head = head.eval()
    with whole_path(path) as part:
        export_onnx(head, _windows(head, 2, 8), _OUTPUTS, _AXES, part)
        session = onnxruntime.InferenceSession(str(part))
        for persons, frames in _TRIALS:
            check_onnx(head, session, _windows(head, persons, frames), _OUTPUTS, _TOLERANCE, _TOLERANCE)


def _windows(head: TrainableHead, persons: int, frames: int) -> dict[str, torch.Tensor]:
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
    return dict(zip(_INPUTS, (embeddings, ages, mask)))
