"""EfficientNetV2-B0 (Tan & Le 2021): fused blocks first, squeeze-excite in the later ones, SiLU.

The table is that of the B0 of Keras. No weights of it can be installed as a package, so it is trained from scratch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from dfer_ros.training.encoder.layers import Convolution

EMBEDDING_SIZE = 1280
_STEM_CHANNELS = 32
_SQUEEZE = 4
_DROPPED = 0.2
"""Chance to leave out the last block in training; those before it less, in proportion (Huang et al. 2016)."""
_MOMENTUM = 0.1


class _Stage(NamedTuple):
    repeats: int
    stride: int
    expansion: int
    channels: int
    fused: bool


_STAGES = (
    _Stage(1, 1, 1, 16, True),
    _Stage(2, 2, 4, 32, True),
    _Stage(2, 2, 4, 48, True),
    _Stage(3, 2, 4, 96, False),
    _Stage(5, 1, 6, 112, False),
    _Stage(8, 2, 6, 192, False),
)


class EfficientNetV2B0(nn.Module):
    """Images [N, 3, S, S] to feature maps [N, 1280, S / 32, S / 32]."""

    def __init__(self) -> None:
        super().__init__()
        count = sum(stage.repeats for stage in _STAGES)
        channels = _STEM_CHANNELS
        blocks: list[nn.Module] = []
        for stage in _STAGES:
            kind = _FusedBlock if stage.fused else _Block
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                dropped = _DROPPED * len(blocks) / count
                blocks.append(kind(channels, stage.channels, stride, stage.expansion, dropped))
                channels = stage.channels
        self.stem = _convolution(3, _STEM_CHANNELS, 3, 2)
        self.blocks = nn.Sequential(*blocks)
        self.last = _convolution(channels, EMBEDDING_SIZE, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the feature maps [N, 1280, S / 32, S / 32]."""
        features: torch.Tensor = self.last(self.blocks(self.stem(image)))
        return features


class _Residual(nn.Module):
    """Adds what a block changes to its input, where the two are of one size; in training some images skip it."""

    def __init__(self, layers: nn.Sequential, residual: bool, dropped: float) -> None:
        super().__init__()
        self.layers = layers
        self.residual = residual
        self.dropped = dropped

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        change: torch.Tensor = self.layers(features)
        if not self.residual:
            return change
        if self.training and self.dropped > 0:
            kept = torch.rand(len(change), 1, 1, 1, device=change.device) >= self.dropped
            change = change * kept / (1.0 - self.dropped)
        return features + change


class _FusedBlock(_Residual):
    """One dense convolution in the place of expansion and depthwise convolution."""

    def __init__(self, channels: int, wider: int, stride: int, expansion: int, dropped: float) -> None:
        inner = channels * expansion
        if expansion == 1:
            layers = nn.Sequential(_convolution(channels, wider, 3, stride))
        else:
            expand = _convolution(channels, inner, 3, stride)
            layers = nn.Sequential(expand, _convolution(inner, wider, 1, activation=None))
        super().__init__(layers, stride == 1 and channels == wider, dropped)


class _Block(_Residual):
    def __init__(self, channels: int, wider: int, stride: int, expansion: int, dropped: float) -> None:
        inner = channels * expansion
        layers = nn.Sequential(
            _convolution(channels, inner, 1),
            _convolution(inner, inner, 3, stride, groups=inner),
            _SqueezeExcite(inner, channels // _SQUEEZE),
            _convolution(inner, wider, 1, activation=None),
        )
        super().__init__(layers, stride == 1 and channels == wider, dropped)


class _SqueezeExcite(nn.Module):
    """Weighs the channels by what is in the whole image (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1), nn.SiLU(inplace=True), nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        weighed: torch.Tensor = features * self.gate(features.mean(dim=(2, 3), keepdim=True))
        return weighed


def _convolution(
    channels: int,
    wider: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.SiLU,
) -> nn.Sequential:
    return Convolution(channels, wider, kernel, stride, groups, activation, _MOMENTUM)
