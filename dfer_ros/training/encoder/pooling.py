"""From a feature map to one embedding."""

from __future__ import annotations

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError

AVERAGE, ATTENTION = "average", "attention"


class AveragePooling(nn.Module):
    """Feature maps [N, D, H, W] to their mean [N, D]."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the embeddings [N, D]."""
        return features.mean(dim=(2, 3))


class AttentionPooling(nn.Module):
    """Feature maps [N, D, H, W] to a mean [N, D] whose weights over the places are learned: a softmax of scores.

    Untrained, it is the plain mean.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(channels, 1, 1)
        for parameter in self.score.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the embeddings [N, D]."""
        weights = self.score(features).flatten(2).softmax(dim=2)
        return torch.matmul(features.flatten(2), weights.transpose(1, 2)).squeeze(2)


def create_pooling(name: str, channels: int) -> nn.Module:
    """Return a pooling by its name. Raises TrainingError for a name that is not known."""
    if name == AVERAGE:
        return AveragePooling()
    if name == ATTENTION:
        return AttentionPooling(channels)
    raise TrainingError(f"pooling '{name}' is not known: use {AVERAGE} or {ATTENTION}.")
