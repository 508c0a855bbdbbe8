"""2DCNN-RNN: a gated recurrent unit over projected embeddings (Cho et al. 2014; as used in DFEW, Jiang et al. 2020)."""

from __future__ import annotations

import torch
from torch import nn

from dfer_ros.training.head.trainable_head import FrameClassifier, Frames, TrainableHead, answer_layer, newest_row


class GruHead(TrainableHead):
    """The weighted mean, corrected by the state of a GRU at the newest frame.

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
