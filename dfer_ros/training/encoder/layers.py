"""Layers that the convolutional encoders share."""

from __future__ import annotations

from torch import nn


class Convolution(nn.Sequential):
    """A convolution with batch norm and, if any, an activation; odd kernels keep the size at stride 1.

    On the robot this is one operation: the batch norm is folded into the weights.
    """

    def __init__(
        self,
        channels: int,
        wider: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = nn.ReLU6,
        momentum: float = 0.01,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(channels, wider, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(wider, eps=1e-3, momentum=momentum),
        ]
        super().__init__(*layers, *([activation(inplace=True)] if activation is not None else []))

    @property
    def convolution(self) -> nn.Conv2d:
        """The convolution alone."""
        layer = self[0]
        assert isinstance(layer, nn.Conv2d)
        return layer
