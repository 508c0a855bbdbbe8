"""From calibrated probabilities to a named expression: hysteresis against flicker, unknown when unsure.

A compound expression (Du, Tao & Martinez 2014) has two names: beside the expression that is named there is another one,
neither of them neutral, that is likely enough by itself. How often people see two where this rule does stands in
docs/expressions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import NEUTRAL


@dataclass(frozen=True)
class DecisionConfig:
    """unknown_threshold: least probability 0..1 of a named class.

    hysteresis: by how much a probability must exceed the threshold before a class is named after unknown, and the
    probability of the class named before another one takes its place.
    secondary_threshold: least probability 0..1 of the other half of a compound expression before it is named.
    secondary_hysteresis: how far below that it may fall before it is no longer.
    """

    unknown_threshold: float
    hysteresis: float = 0.1
    secondary_threshold: float = 0.25
    secondary_hysteresis: float = 0.05


def calibrated_probabilities(logits: FloatArray, temperature: float) -> FloatArray:
    """Return the probabilities [P, 7] of logits [P, 7] after temperature scaling (Guo et al. 2017)."""
    scaled = (logits - logits.max(axis=1, keepdims=True)) / temperature
    exponentials = np.exp(scaled)
    probabilities: FloatArray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def decide(probabilities: FloatArray, named: int | None, config: DecisionConfig) -> int | None:
    """Return the class to name for probabilities [7], or None for unknown; named: the answer for the frame before.

    A named class always has at least the threshold's probability.
    """
    best = int(probabilities.argmax())
    threshold, hysteresis = config.unknown_threshold, config.hysteresis
    if named is not None and probabilities[named] >= threshold:
        return best if probabilities[best] > probabilities[named] + hysteresis else named
    entry = threshold if named is not None else min(threshold + hysteresis, 1.0)
    return best if probabilities[best] >= entry else None


def decide_secondary(
    probabilities: FloatArray, named: int | None, secondary: int | None, config: DecisionConfig
) -> int | None:
    """Return the other half of a compound expression, or None while there is one expression only.

    probabilities: [7]. named: the class that is named for this frame. secondary: the answer for the frame before.
    """
    if named is None or named == NEUTRAL:
        return None
    others = probabilities.copy()
    others[[NEUTRAL, named]] = 0.0
    best = int(others.argmax())
    least = config.secondary_threshold - (config.secondary_hysteresis if best == secondary else 0.0)
    return best if others[best] >= least else None
