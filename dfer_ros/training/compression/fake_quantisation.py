"""Quantisation-aware training: a network that computes in floats what it will compute in INT8 (Jacob et al. 2018).

Nothing is added to the state of the network, so its checkpoints are those of the plain one. The scale of a weight is
per output channel and symmetric, so it does not matter that batch norm is folded into the weights only later.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.frame_encoder import PLAIN_CONVOLUTIONAL, TrainableEncoder
from dfer_ros.training.encoder.layers import Convolution
from dfer_ros.training.experiments.encoders.efficientnet_lite import InvertedResidual

_LARGEST_WEIGHT, _LARGEST_ACTIVATION = 127, 255


def fake_quantise(model: TrainableEncoder, images: list[torch.Tensor]) -> None:
    """Make an encoder compute as its INT8 version does, from now on, with gradients that pass straight through.

    images: normalised batches [N, 3, S, S]; the ranges of the activations are the means over the batches of their
    smallest and largest values. Raises TrainingError for an architecture that is not of PLAIN_CONVOLUTIONAL.
    """
    if model.config.architecture not in PLAIN_CONVOLUTIONAL:
        raise TrainingError(
            f"Quantisation-aware fine-tuning is for {', '.join(PLAIN_CONVOLUTIONAL)}, not for "
            f"{model.config.architecture}: leave it out."
        )
    ranges = _observe(model, images)
    for module, (low, high) in ranges.items():
        module.register_forward_hook(_ActivationHook(low, high))
    for module in model.backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.__class__ = _FakeQuantisedConvolution


class _FakeQuantisedConvolution(nn.Conv2d):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        scale = self.weight.detach().abs().amax(dim=(1, 2, 3)).clamp_min(1e-12) / _LARGEST_WEIGHT
        zero = torch.zeros_like(scale, dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(self.weight, scale, zero, 0, -_LARGEST_WEIGHT, _LARGEST_WEIGHT)
        return self._conv_forward(features, weight, self.bias)


class _ActivationHook:
    """Rounds what a module gives to 256 steps from low to high."""

    def __init__(self, low: float, high: float) -> None:
        self._scale = max(high - low, 1e-6) / _LARGEST_ACTIVATION
        self._zero = min(max(round(-low / self._scale), 0), _LARGEST_ACTIVATION)

    def __call__(self, _module: nn.Module, _given: Any, output: torch.Tensor) -> torch.Tensor:
        return torch.fake_quantize_per_tensor_affine(output, self._scale, self._zero, 0, _LARGEST_ACTIVATION)


def _observe(model: TrainableEncoder, images: list[torch.Tensor]) -> dict[nn.Module, tuple[float, float]]:
    """Return the range, which holds 0, of the output of every module whose output is INT8 on the robot."""
    observed: list[nn.Module] = [model.surround]
    observed += [module for module in model.backbone.modules() if isinstance(module, (Convolution, InvertedResidual))]
    seen: dict[nn.Module, list[tuple[float, float]]] = {module: [] for module in observed}

    def observe(module: nn.Module, _given: Any, output: torch.Tensor) -> None:
        seen[module].append((min(float(output.min()), 0.0), max(float(output.max()), 0.0)))

    handles = [module.register_forward_hook(observe) for module in observed]
    model.eval()
    with torch.inference_mode():
        for batch in images:
            model(batch)
    for handle in handles:
        handle.remove()
    return {module: (_mean(low for low, _ in rows), _mean(high for _, high in rows)) for module, rows in seen.items()}


def _mean(values: Any) -> float:
    numbers = list(values)
    return float(sum(numbers) / len(numbers))
