"""What every temporal head is: the encoder's classifier on each frame, a mean over time, and what is learned on top."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import nn

from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import LABELS, NEUTRAL

TOLD_PHASES = PHASES[1:]
"""The phases in the order of a head's phase logits: those of core.emotion without unknown."""

LEAST_TOTAL = 1e-9
"""What a sum of weights is at least, so that a window without any frame gives finite answers."""


class HeadOutput(NamedTuple):
    """logits: [P, 7] in the order of LABELS. intensity: [P], 0..1. phase: [P, 4] logits in the order of TOLD_PHASES."""

    logits: torch.Tensor
    intensity: torch.Tensor
    phase: torch.Tensor


class FrameClassifier(NamedTuple):
    """The layer that makes a frame encoder's logits. weight: [7, D]. bias: [7].

    temperature: divisor that calibrates the logits of single frames.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    temperature: float


class Frames(NamedTuple):
    """The frames of windows as a head sees them.

    embeddings: [P, T, D]. logits: [P, T, 7], calibrated, 0 where there is no frame. probabilities: their softmax.
    ages: [P, T] seconds before the newest frame. quality: [P, T] 0..1, 0 where there is no frame.
    """

    embeddings: torch.Tensor
    logits: torch.Tensor
    probabilities: torch.Tensor
    ages: torch.Tensor
    quality: torch.Tensor


class TrainableHead(nn.Module):
    """Embeddings [P, T, D], ages [P, T] and mask [P, T] to HeadOutput.

    Rows are oldest first; ages are seconds before the newest frame, which has age 0; mask is the quality 0..1 of each
    frame and 0 where there is none, after the last frame. A subclass says how the logits come about.

    classifier: that of the frame encoder; it stays as it is. decay_seconds: see recency_weights.
    """

    uses_embeddings = True
    """Whether the answer depends on more of the embeddings than the classifier's logits."""

    weight: torch.Tensor
    bias: torch.Tensor
    adjustment: torch.Tensor
    """Logits [7] that are added to every answer; they are given, not learned."""

    def __init__(self, classifier: FrameClassifier, decay_seconds: float) -> None:
        super().__init__()
        self.register_buffer("adjustment", torch.zeros(len(LABELS)))
        self.register_buffer("weight", (classifier.weight / classifier.temperature).T.contiguous())
        self.register_buffer("bias", classifier.bias / classifier.temperature)
        self.log_decay = nn.Parameter(torch.tensor(math.log(decay_seconds)))
        self.dynamics = DynamicsReadout()

    def forward(self, embeddings: torch.Tensor, ages: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """Return logits [P, 7], intensity [P] and phase [P, 4]."""
        logits = torch.where(mask.unsqueeze(2) > 0, embeddings @ self.weight + self.bias, 0.0)
        frames = Frames(embeddings, logits, logits.softmax(dim=2), ages, mask)
        intensity, phase = self.dynamics(frames)
        return HeadOutput(self.answer(frames) + self.adjustment, intensity, phase)

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7] before the adjustment."""
        raise NotImplementedError

    def recency_weights(self, frames: Frames) -> torch.Tensor:
        """Return quality * exp(-age / decay) of each frame [P, T]."""
        return frames.quality * torch.exp(frames.ages * -torch.exp(-self.log_decay))

    def weighted_mean(self, frames: Frames) -> torch.Tensor:
        """Return the mean of the frames' logits [P, 7] by recency_weights."""
        return mean_over_frames(self.recency_weights(frames), frames.logits)


class DynamicsReadout(nn.Module):
    """Intensity and phase at the newest frame, from the means of the frames' probabilities over the last moments.

    The perceptron sees how far each mean is from neutral, and by how much and which way it differs from the next longer
    one; changes are made larger, as they are small beside levels.
    """

    # Seconds over which the past is averaged: the shortest spans two or three frames, the longest most of a window.
    _DECAYS = (0.08, 0.2, 0.5, 1.2)
    _WIDTH = 16
    _CHANGE_SCALE = 4.0

    rates: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rates", -1.0 / torch.tensor(self._DECAYS)[:, None])
        features = len(self._DECAYS) + 2 * (len(self._DECAYS) - 1) + 2
        self.layers = nn.Sequential(
            nn.Linear(features, self._WIDTH), nn.Tanh(), nn.Linear(self._WIDTH, 1 + len(TOLD_PHASES))
        )

    def forward(self, frames: Frames) -> tuple[torch.Tensor, torch.Tensor]:
        """Return intensity [P] and phase [P, 4]."""
        weights = frames.quality.unsqueeze(1) * torch.exp(frames.ages.unsqueeze(1) * self.rates)
        means = shares_of_frames(weights) @ frames.probabilities
        changes = (means[:, :-1] - means[:, 1:]) * self._CHANGE_SCALE
        strongest = ((1.0 - frames.probabilities[..., NEUTRAL]) * (frames.quality > 0)).amax(dim=1, keepdim=True)
        span = (frames.ages * (frames.quality > 0)).amax(dim=1, keepdim=True)
        columns = [means[..., NEUTRAL], changes[..., NEUTRAL], changes.abs().mean(dim=2), strongest, span]
        read = self.layers(torch.cat(columns, dim=1))
        return torch.sigmoid(read[:, 0]), read[:, 1:]


def shares_of_frames(weights: torch.Tensor) -> torch.Tensor:
    """Return the share 0..1 of each frame in the sum of weights [..., T], zeros where all weights are 0."""
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=LEAST_TOTAL)


def mean_over_frames(weights: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return the mean [P, C] of rows [P, T, C] by weights [P, T], zeros where all weights are 0."""
    return (shares_of_frames(weights).unsqueeze(1) @ rows).squeeze(1)


def newest_row(rows: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """Return the row [P, C] of rows [P, T, C] of the newest frame of each window, zeros where there is none."""
    there = (quality > 0).to(rows.dtype)
    after = torch.cat([there[:, 1:], torch.zeros_like(there[:, :1])], dim=1)
    return ((there * (1.0 - after)).unsqueeze(1) @ rows).squeeze(1)


def answer_layer(width: int) -> nn.Linear:
    """Return a layer from features to a change of the logits; it starts at no change."""
    layer = nn.Linear(width, len(LABELS))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
