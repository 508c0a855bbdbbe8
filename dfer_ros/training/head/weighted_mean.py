"""The baseline head: the mean of the frames' logits, weighted by quality and age."""

from __future__ import annotations

import torch

from dfer_ros.training.head.trainable_head import Frames, TrainableHead


class WeightedMeanHead(TrainableHead):
    """Each frame weighs its quality times exp(-age / decay); only the decay, intensity and phase can be trained."""

    uses_embeddings = False

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        return self.weighted_mean(frames)
