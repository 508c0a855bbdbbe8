"""What calibration error answers would show that are calibrated exactly: with few clips it is far from zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.core.faces import FloatArray
from dfer_ros.training.evaluation.calibration import expected_calibration_error

_DRAWS = 1000


@dataclass(frozen=True)
class CalibrationFloor:
    """The ECE 0..1 of exactly calibrated answers: its mean, and the bounds within which it lies in 95 % of draws."""

    mean: float
    lower: float
    upper: float


def calibration_floor(probabilities: Sequence[FloatArray], seed: int = 0) -> CalibrationFloor:
    """Return the ECE over frames that remains if the answers are right about themselves.

    probabilities: [T, 7] for each clip. Every clip gets a label drawn from the mean of its own probabilities, 1000
    times: its frames share it, so there is one surprise a clip, not one a frame, and bins cannot even out. An ECE
    between the bounds is no evidence against calibration (the consistency test of Vaicenavicius et al. 2019).
    """
    chance = np.random.default_rng(seed)
    rows = np.concatenate(probabilities)
    clips = np.repeat(np.arange(len(probabilities)), [len(one) for one in probabilities])
    weights = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in probabilities])
    bounds = np.stack([one.mean(axis=0) for one in probabilities]).cumsum(axis=1)
    drawn = (chance.random((_DRAWS, len(bounds), 1)) * bounds[:, -1:] > bounds).sum(axis=2)
    errors = [expected_calibration_error(rows, labels[clips], weights) for labels in drawn]
    lower, upper = np.quantile(errors, (0.025, 0.975))
    return CalibrationFloor(float(np.mean(errors)), float(lower), float(upper))
