"""The heads that are compared and not shipped: each corrects the weighted mean by the order of the frames."""

from __future__ import annotations

import math

import torch
from torch import nn

from dfer_ros.training.head.trainable_head import (
    LEAST_TOTAL,
    FrameClassifier,
    Frames,
    TrainableHead,
    answer_layer,
    newest_row,
)

_GRID_SECONDS = 2.0
_GRID_POINTS = 24
_ATTENTION_HEADS = 4
_SLOWEST_SECONDS, _FASTEST_SECONDS = 4.0, 0.25
_FAR = -1e4


class GruHead(TrainableHead):
    """2DCNN-RNN: the weighted mean, corrected by the state of a gated recurrent unit at the newest frame.

    Cho et al. 2014; as used in DFEW, Jiang et al. 2020.

    Frames come unevenly, so the seconds since the frame before are an input beside quality and the projection to
    `width` dimensions.
    """

    def __init__(self, classifier: FrameClassifier, decay_seconds: float, width: int) -> None:
        super().__init__(classifier, decay_seconds)
        self.project = nn.Sequential(nn.Linear(classifier.weight.shape[1], width), nn.LayerNorm(width))
        self.recurrent = nn.GRU(width + 2, width, batch_first=True)
        self.change = answer_layer(width)

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        before = torch.cat([frames.ages[:, :1], frames.ages[:, :-1]], dim=1)
        seconds = (before - frames.ages).clamp(0.0, 2.0)
        inputs = torch.cat([self.project(frames.embeddings), torch.stack([seconds, frames.quality], dim=2)], dim=2)
        states, _ = self.recurrent(inputs)
        return self.weighted_mean(frames) + self.change(newest_row(states, frames.quality))


class ConvolutionHead(TrainableHead):
    """The weighted mean, corrected by causal convolutions over a grid of ages from 2 s to 0.

    The window is resampled to even ages, so that gaps in seconds stay gaps.
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


class TransformerHead(TrainableHead):
    """The temporal half of Former-DFER, causal (Zhao & Liu 2021): the weighted mean, corrected by attention.

    Time is encoded by ages in seconds, not by index; a frame sees itself and older ones only.
    """

    def __init__(self, classifier: FrameClassifier, decay_seconds: float, width: int, layers: int) -> None:
        super().__init__(classifier, decay_seconds)
        self.project = nn.Sequential(nn.Linear(classifier.weight.shape[1], width), nn.LayerNorm(width))
        self.time = _TimeEncoding(width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.change = answer_layer(width)

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        rows = self.project(frames.embeddings) + self.time(frames.ages)
        older = frames.ages.unsqueeze(1) >= frames.ages.unsqueeze(2) - 1e-6
        # Quality is a prior on what is attended to: its logarithm adds to the scores.
        scores = torch.where(older, frames.quality.clamp(min=1e-4).log().unsqueeze(1), _FAR)
        scores = torch.where(frames.quality.unsqueeze(1) > 0, scores, _FAR).unsqueeze(1)
        for block in self.blocks:
            rows = block(rows, scores)
        return self.weighted_mean(frames) + self.change(newest_row(self.norm(rows), frames.quality))


class _TimeEncoding(nn.Module):
    """Ages [P, T] in seconds to [P, T, width]: sine and cosine at periods from 0.25 to 4 seconds, projected."""

    def __init__(self, width: int) -> None:
        super().__init__()
        periods = torch.logspace(math.log10(_FASTEST_SECONDS), math.log10(_SLOWEST_SECONDS), width // 4)
        self.register_buffer("frequencies", 2 * math.pi / periods)
        self.layer = nn.Linear(2 * (width // 4), width, bias=False)

    frequencies: torch.Tensor

    def forward(self, ages: torch.Tensor) -> torch.Tensor:
        angles = ages.unsqueeze(2) * self.frequencies
        encoded: torch.Tensor = self.layer(torch.cat([angles.sin(), angles.cos()], dim=2))
        return encoded


class _Block(nn.Module):
    """Rows [P, T, width] and scores to add [P, 1, T, T] to rows: attention and a small perceptron, both residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.parts = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, rows: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        persons, frames, width = rows.shape
        parts = self.parts(self.first_norm(rows)).view(persons, frames, 3, _ATTENTION_HEADS, width // _ATTENTION_HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        attention = (query @ key.transpose(2, 3) / math.sqrt(width // _ATTENTION_HEADS) + scores).softmax(dim=3)
        rows = rows + self.join((attention @ value).transpose(1, 2).reshape(persons, frames, width))
        changed: torch.Tensor = rows + self.perceptron(self.second_norm(rows))
        return changed
