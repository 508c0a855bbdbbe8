"""The clip-wise baseline: a small 3D CNN (as C3D, Tran et al. 2015) that reads a whole clip of crops at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnxruntime
import torch
from torch import nn

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.onnx_export import check_onnx, export_onnx

_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Conv3dConfig:
    """channels: of the stages, each of which halves the image. dropout: 0..1."""

    channels: tuple[int, ...] = (16, 32, 64, 128)
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if not self.channels or min(self.channels) < 1 or not 0 <= self.dropout < 1:
            raise TrainingError("A 3D CNN needs channels, each of 1 or more, and a dropout of 0 to below 1.")


class Conv3d(nn.Module):
    """Clips of normalised crops [P, 3, T, S, S], T >= 1, to logits [P, 7].

    Every new frame costs a whole clip again: that is what the frame encoder with a temporal head saves.
    """

    def __init__(self, config: Conv3dConfig) -> None:
        super().__init__()
        stages, channels = [], 3
        for index, wider in enumerate(config.channels):
            # The first stage keeps every frame, the others halve the rate as well.
            stride = (1 if index == 0 else 2, 2, 2)
            stages += [
                nn.Conv3d(channels, wider, 3, stride, 1, bias=False),
                nn.BatchNorm3d(wider),
                nn.ReLU(inplace=True),
                nn.Conv3d(wider, wider, 3, 1, 1, bias=False),
                nn.BatchNorm3d(wider),
                nn.ReLU(inplace=True),
            ]
            channels = wider
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(channels, len(LABELS))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the logits [P, 7]."""
        logits: torch.Tensor = self.classifier(self.dropout(self.stages(clips).mean(dim=(2, 3, 4))))
        return logits


def export_conv3d(model: Conv3d, frames: int, size: int, path: Path) -> None:
    """Write a 3D CNN as ONNX: clips [P, 3, T, S, S] to logits [P, 7]; P and T dynamic.

    Raises TrainingError where the file cannot be written or does not give what the model gives.
    """
    model = model.eval()
    clip = {"clips": torch.randn(1, 3, frames, size, size, generator=torch.Generator().manual_seed(0))}
    with whole_path(path) as part:
        export_onnx(model, clip, ("logits",), {"clips": {0: "P", 2: "T"}, "logits": {0: "P"}}, part)
        check_onnx(model, onnxruntime.InferenceSession(str(part)), clip, ("logits",), _TOLERANCE, _TOLERANCE)
