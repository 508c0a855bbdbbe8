"""Structured pruning: channels that only one block sees are removed whole, by `torch_pruning` (Fang et al. 2023)."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.frame_encoder import PLAIN_CONVOLUTIONAL, TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import MobileNetV1
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.experiments.encoders.efficientnet_lite import EfficientNetLite

_ROUNDED_TO = 16
"""Channels that INT8 kernels compute together."""
_MOST_OF_A_LAYER = 0.7
_TRACED_SIZE = 64


def prune(model: TrainableEncoder, surround: SurroundConfig, share: float) -> TrainableEncoder:
    """Return an encoder without a share 0..1 of its prunable channels: those with the smallest weights (L1).

    No layer loses more than 70 % of its own. It must be fine-tuned; its configuration holds the widths that are left.
    Raises TrainingError for an architecture not of PLAIN_CONVOLUTIONAL, or where `torch_pruning` is not installed.
    """
    pruned = copy.deepcopy(model).eval()
    _remove_channels(pruned, share)
    widths = tuple(layer.out_channels for layer in _prunable(pruned))
    smaller = TrainableEncoder(replace(model.config, pretrained=None, widths=widths), surround)
    smaller.load_state_dict(pruned.state_dict())
    return smaller


def _remove_channels(model: TrainableEncoder, share: float) -> None:
    try:
        import torch_pruning
    except ImportError as error:
        raise TrainingError("Pruning needs torch_pruning: install it with 'pip install torch-pruning'.") from error
    prunable = _prunable(model)
    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    # A depthwise convolution loses the channels of the layer before it.
    depthwise = [layer for layer in layers if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    pruner = torch_pruning.pruner.BasePruner(
        model,
        torch.zeros(1, 3, _TRACED_SIZE, _TRACED_SIZE),
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=1),
        global_pruning=True,
        pruning_ratio=share,
        max_pruning_ratio=_MOST_OF_A_LAYER,
        round_to=_ROUNDED_TO,
        ignored_layers=[layer for layer in layers if layer not in {*prunable, *depthwise}],
    )
    pruner.step()


def _prunable(model: TrainableEncoder) -> list[nn.Conv2d]:
    if not isinstance(model.backbone, (EfficientNetLite, MobileNetV1)):
        raise TrainingError(
            f"Pruning is for {', '.join(PLAIN_CONVOLUTIONAL)}, not for {model.config.architecture}: leave it out."
        )
    return model.backbone.prunable
