"""Temporal heads by name, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.training.experiments.heads import ConvolutionHead, GruHead, TransformerHead
from dfer_ros.training.head.apex import ApexHead
from dfer_ros.training.head.trainable_head import FrameClassifier, Frames, TrainableHead


class WeightedMeanHead(TrainableHead):
    """Each frame weighs its quality times exp(-age / decay); only the decay, intensity and phase can be trained."""

    uses_embeddings = False

    def answer(self, frames: Frames) -> torch.Tensor:
        """Return the logits [P, 7]."""
        return self.weighted_mean(frames)


@dataclass(frozen=True)
class HeadConfig:
    """kind: one of KINDS. width: features inside, a multiple of 4. layers: of the transformer.

    decay_seconds: that of the weighted mean from which every head starts.
    """

    kind: str = "apex"
    width: int = 16
    layers: int = 1
    decay_seconds: float = 0.8


_MAKERS: dict[str, Callable[[HeadConfig, FrameClassifier], TrainableHead]] = {
    "weighted_mean": lambda config, frame: WeightedMeanHead(frame, config.decay_seconds),
    "gru": lambda config, frame: GruHead(frame, config.decay_seconds, config.width),
    "transformer": lambda config, frame: TransformerHead(frame, config.decay_seconds, config.width, config.layers),
    "convolution": lambda config, frame: ConvolutionHead(frame, config.decay_seconds, config.width),
    "apex": lambda config, frame: ApexHead(frame, config.decay_seconds, config.width),
}
KINDS = tuple(_MAKERS)


def create_head(config: HeadConfig, weight: FloatArray, bias: FloatArray, temperature: float = 1.0) -> TrainableHead:
    """Return a new head for an encoder with the classifier weight [7, D] and bias [7].

    temperature: that of the frames' logits. Raises TrainingError for a configuration that cannot be.
    """
    if config.kind not in _MAKERS:
        raise TrainingError(f"The head '{config.kind}' is not known: use one of {', '.join(KINDS)}.")
    if config.width < 4 or config.width % 4 or config.layers < 1 or config.decay_seconds <= 0:
        raise TrainingError("A head needs a width that is a multiple of 4, at least one layer and a decay above 0 s.")
    rows = (torch.from_numpy(np.array(values, dtype=np.float32)) for values in (weight, bias))
    return _MAKERS[config.kind](config, FrameClassifier(next(rows), next(rows), temperature))


def parameter_count(head: torch.nn.Module) -> int:
    """Return how many numbers of a head are learned; the encoder's classifier is not one of them."""
    return sum(parameter.numel() for parameter in head.parameters())
