"""Which parameters of a frame encoder learn how fast."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from torch import nn

from dfer_ros.training.encoder.config import ScheduleConfig

_LAYER = re.compile(r"backbone\.network\.encoder\.layer\.(\d+)\.")
_BEFORE_LAYERS = "backbone.network.embeddings."


def parameter_groups(model: nn.Module, schedule: ScheduleConfig) -> list[dict[str, Any]]:
    """Return the trained parameters in groups for an optimiser: only weights of two dimensions or more decay.

    The `scale` of a group is by how much its learning rate is that of the schedule: smaller for the earlier layers of a
    vision transformer, by `layer_decay` from one to the next (Bao et al. 2022).
    """
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    depth = 1 + max((int(found[1]) for name, _ in trained if (found := _LAYER.match(name))), default=-1)
    groups: dict[tuple[int, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in trained:
        groups[_place(name, depth), parameter.ndim > 1].append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": schedule.weight_decay if decays else 0.0,
            "scale": schedule.layer_decay ** (depth + 1 - place),
        }
        for (place, decays), parameters in groups.items()
    ]


def _place(name: str, depth: int) -> int:
    """Return 0 for what comes before the layers, 1 and more for these, and depth + 1 for what comes after them."""
    found = _LAYER.match(name)
    if found is not None:
        return int(found[1]) + 1
    return 0 if name.startswith(_BEFORE_LAYERS) else depth + 1
