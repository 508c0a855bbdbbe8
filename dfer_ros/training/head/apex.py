"""A head of few parameters that looks for the apex: attention over frames, from what the frames' answers do in time.

It sees the classifier's answers only, not the embeddings, so it cannot learn faces, only courses.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from dfer_ros.core.labels import LABELS, NEUTRAL
from dfer_ros.training.head.trainable_head import (
    FrameClassifier,
    Frames,
    TrainableHead,
    mean_over_frames,
    shares_of_frames,
)

_FEATURES = 8
_SCORE_LIMIT = 3.0
_CORRECTION_LIMIT = 1.0
_PRIOR_LIMIT = 1.0
_SMOOTHING_SECONDS = 0.15
_PAST_SECONDS = 0.4
_CLASS_FEATURES = 4
_LEAST_CALM = 0.05


class ApexHead(TrainableHead):
    """The frames' logits, averaged with attention, plus a contrast and a bounded correction.

    Attention: quality * exp(-age / decay) * exp(score); the score of a frame comes from a small perceptron over its
    quality, age, certainty, distance from neutral, agreement with its neighbours in time (a frame that stands alone is
    rarely true), change against the moments before, and distance from the strongest moment of the window.
    Contrast: a learned share of the difference to the calm moments of the window, old and near neutral: what a face at
    rest looks like is no expression. The correction of a class comes from one perceptron for all classes over its mean,
    its strongest, its newest and its older smoothed probability; only neutral is told apart. Prior: a bounded number
    for each class, as video shows them otherwise than the stills of the encoder. At the start all four change
    nothing: the weighted mean.
    """

    uses_embeddings = False

    def __init__(self, classifier: FrameClassifier, decay_seconds: float, width: int) -> None:
        super().__init__(classifier, decay_seconds)
        self.log_smoothing = nn.Parameter(torch.tensor(math.log(_SMOOTHING_SECONDS)))
        self.log_past = nn.Parameter(torch.tensor(math.log(_PAST_SECONDS)))
        self.score = _zero_ended(_FEATURES, width)
        self.correction = _zero_ended(_CLASS_FEATURES + 1, width)
        self.contrast = nn.Parameter(torch.zeros(()))
        self.log_gain = nn.Parameter(torch.zeros(()))
        self.prior = nn.Parameter(torch.zeros(len(LABELS)))
        self.register_buffer("neutral", torch.eye(len(LABELS))[NEUTRAL])

    neutral: torch.Tensor

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        older = frames.ages.unsqueeze(1) - frames.ages.unsqueeze(2)  # [P, T, T]: seconds by which column is older
        quality = frames.quality.unsqueeze(1)
        near = quality * torch.exp(older.abs() * -torch.exp(-self.log_smoothing))
        past = quality * torch.exp(older * -torch.exp(-self.log_past)) * (older >= 0)
        smooth = shares_of_frames(near) @ frames.probabilities
        before = shares_of_frames(past) @ frames.probabilities

        scores = _SCORE_LIMIT * torch.tanh(self.score(self._features(frames, smooth, before)).squeeze(2))
        weights = self.recency_weights(frames) * torch.exp(scores)
        correction = self.correction(self._class_features(frames, weights, smooth, before)).squeeze(2)
        mean = mean_over_frames(weights, frames.logits)
        change = mean - mean_over_frames(_calm(frames), frames.logits)
        answer = mean * torch.exp(self.log_gain) + torch.tanh(self.contrast) * change
        return answer + _CORRECTION_LIMIT * torch.tanh(correction) + _PRIOR_LIMIT * torch.tanh(self.prior)

    def _features(self, frames: Frames, smooth: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Return what the score of each frame rests on [P, T, 8]."""
        probabilities = frames.probabilities
        there = (frames.quality > 0).to(smooth.dtype)
        away, away_before = (1.0 - rows[..., NEUTRAL] for rows in (smooth, before))
        strongest = (away * there).amax(dim=1, keepdim=True)
        certainty = (probabilities * probabilities).sum(dim=2)
        agreement = (probabilities * smooth).sum(dim=2)
        columns = (
            frames.quality,
            frames.ages,
            certainty,
            agreement,
            away,
            away - away_before,
            strongest - away,
            strongest.expand_as(away),
        )
        return torch.stack(columns, dim=2)

    def _class_features(
        self, frames: Frames, weights: torch.Tensor, smooth: torch.Tensor, before: torch.Tensor
    ) -> torch.Tensor:
        """Return what the correction of each class rests on [P, 7, 5]."""
        there = (frames.quality > 0).to(smooth.dtype).unsqueeze(2)
        mean = mean_over_frames(weights, smooth)
        columns = (
            mean,
            (smooth * there).amax(dim=1),
            mean_over_frames(frames.quality * (frames.ages < 0.2), smooth),
            mean_over_frames(frames.quality * frames.ages, smooth),
            torch.zeros_like(mean) + self.neutral,
        )
        return torch.stack(columns, dim=2)


def _calm(frames: Frames) -> torch.Tensor:
    """Return how much each frame [P, T] shows of the face at rest: old frames near neutral, if there are any."""
    return frames.quality * (_LEAST_CALM + frames.probabilities[..., NEUTRAL]) * (_LEAST_CALM + frames.ages)


def _zero_ended(features: int, width: int) -> nn.Sequential:
    """Return a perceptron to one number that starts at zero."""
    last = nn.Linear(width, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(features, width), nn.Tanh(), last)
