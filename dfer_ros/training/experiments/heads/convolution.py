"""Temporal convolution over a window that is resampled to even ages, so that gaps in seconds stay gaps."""

from __future__ import annotations

import torch
from torch import nn

from dfer_ros.training.head.trainable_head import LEAST_TOTAL, FrameClassifier, Frames, TrainableHead, answer_layer

_GRID_SECONDS = 2.0
_GRID_POINTS = 24


class ConvolutionHead(TrainableHead):
    """The weighted mean, corrected by causal convolutions over a grid of ages from 2 s to 0.

    Every point of the grid is the mean of the frames near it; how many were near is an input of its own, so the
    network knows gaps from frames.
    """

    grid: torch.Tensor

    def __init__(self, classifier: FrameClassifier, decay_seconds: float, width: int) -> None:
        super().__init__(classifier, decay_seconds)
        self.register_buffer("grid", torch.linspace(_GRID_SECONDS, 0.0, _GRID_POINTS))
        self.project = nn.Sequential(nn.Linear(classifier.weight.shape[1], width), nn.LayerNorm(width))
        # Strided: 24 points become 11, 5 and 2, the last of which ends at the newest frame.
        self.layers = nn.Sequential(
            nn.Conv1d(width + 1, width, 4, stride=2),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride=2),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride=2),
            nn.ReLU(),
        )
        self.change = answer_layer(2 * width)

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        distance = (self.grid[:, None] - frames.ages.unsqueeze(1)).abs()
        near = frames.quality.unsqueeze(1) * torch.exp(distance * (-_GRID_POINTS / _GRID_SECONDS))
        total = near.sum(dim=2, keepdim=True)
        rows = (near / total.clamp(min=LEAST_TOTAL)) @ self.project(frames.embeddings)
        resampled = torch.cat([rows, total], dim=2).transpose(1, 2)
        return self.weighted_mean(frames) + self.change(self.layers(resampled).flatten(1))
