"""Accuracy by input size, as model.yaml gives it under metrics.stills_by_input_size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dfer_ros.core.errors import ModelError

STILLS_BY_INPUT_SIZE = "stills_by_input_size"
"""Key of `metrics`: data set -> precision -> input size in pixels -> war and uar in percent."""


@dataclass(frozen=True)
class StillsAccuracy:
    """war, uar: weighted and unweighted average recall in percent."""

    war: float
    uar: float


@dataclass(frozen=True)
class SizeAccuracy:
    """precision: the one it was measured with. sets: by name of the data set."""

    precision: str
    sets: Mapping[str, StillsAccuracy]

    @property
    def mean_uar(self) -> float:
        """Mean of the UAR over the data sets in percent: what sizes are compared by."""
        return float(np.mean([accuracy.uar for accuracy in self.sets.values()]))


def accuracy_by_size(metrics: Mapping[str, Any], precision: str) -> dict[int, SizeAccuracy]:
    """Return the accuracy at every input size that all data sets have; empty where the model says nothing of it.

    A precision that was not measured gets the figures of the first one that was. Raises ModelError where the figures
    do not follow the contract.
    """
    content = metrics.get(STILLS_BY_INPUT_SIZE)
    if not content:
        return {}
    try:
        measured = next(iter(next(iter(content.values()))))
        used = precision if all(precision in by_precision for by_precision in content.values()) else measured
        sets = {name: _by_size(by_precision[used]) for name, by_precision in content.items()}
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise ModelError(
            f"metrics.{STILLS_BY_INPUT_SIZE} of model.yaml does not follow the contract, data set: precision: input "
            f"size: war and uar in percent ({type(error).__name__}: {error}): correct it."
        ) from error
    sizes = sorted(set.intersection(*(set(by_size) for by_size in sets.values())))
    return {size: SizeAccuracy(used, {name: by_size[size] for name, by_size in sets.items()}) for size in sizes}


def _by_size(content: Mapping[Any, Mapping[str, Any]]) -> dict[int, StillsAccuracy]:
    return {int(size): StillsAccuracy(_percent(row["war"]), _percent(row["uar"])) for size, row in content.items()}


def _percent(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 100:
        raise ValueError(f"{number:g} is not a percentage")
    return number
