"""From calibrated probabilities to a named expression: hysteresis against flicker, unknown when unsure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.faces import FloatArray


@dataclass(frozen=True)
class DecisionConfig:
    """unknown_threshold: least probability 0..1 of a named class.

    hysteresis: by how much a probability must exceed the threshold before a class is named after unknown, and the
    probability of the class named before another one takes its place.
    """

    unknown_threshold: float
    hysteresis: float = 0.1


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
