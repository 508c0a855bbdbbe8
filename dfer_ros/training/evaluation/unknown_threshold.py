"""From which probability on an expression is named: a robot that is unsure says unknown rather than disgusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.recall import Labels

_THRESHOLDS = np.arange(0.2, 0.91, 0.01)


@dataclass(frozen=True)
class UnknownThreshold:
    """threshold: of the probability. precision: share 0..1 of right answers among those named. named: share of all."""

    threshold: float
    precision: float
    named: float


def threshold_for(
    probabilities: FloatArray, labels: Labels, weights: FloatArray, precision: float
) -> UnknownThreshold | None:
    """Return the lowest threshold with which the named answers reach a precision 0..1; None where none does.

    probabilities: [N, 7], calibrated. labels: [N]. weights: [N], how much each row counts.
    """
    surest, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for threshold in _THRESHOLDS:
        named = surest >= threshold
        if not named.any():
            return None
        reached = float(np.average(right[named], weights=weights[named]))
        if reached >= precision:
            share = float(weights[named].sum() / weights.sum())
            return UnknownThreshold(round(float(threshold), 2), reached, share)
    return None
