"""Calibration: the temperature that makes probabilities honest, the error that is left, and what doubt is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.recall import Labels

_BINS = 15
_CURVE_COVERAGES = np.linspace(0.05, 1.0, 20)


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers whose confidence lies from lower to upper. weight: their share of all. The rest: their means."""

    lower: float
    upper: float
    count: int
    weight: float
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CalibrationMetrics:
    """Calibration before (temperature 1) and after temperature scaling.

    error: share 0..1 of wrong answers when all are given; error_at_80: among the surest 80 % of them.
    coverage, risk: the curve behind these two, of the calibrated probabilities. bins: after.
    """

    ece_before: float
    ece: float
    brier_before: float
    brier: float
    error: float
    error_at_80: float
    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    bins: tuple[ReliabilityBin, ...]


def calibration_metrics(
    before: FloatArray, after: FloatArray, labels: Labels, weights: FloatArray | None = None
) -> CalibrationMetrics:
    """Return the calibration of probabilities [N, 7], before and after a temperature, on labels [N].

    weights: [N], how much each row counts; None: all the same.
    """
    risk = selective_risk(after, labels, _CURVE_COVERAGES, weights)
    error_at_80, error = selective_risk(after, labels, np.array([0.8, 1.0]), weights).tolist()
    return CalibrationMetrics(
        ece_before=expected_calibration_error(before, labels, weights),
        ece=expected_calibration_error(after, labels, weights),
        brier_before=brier_score(before, labels, weights),
        brier=brier_score(after, labels, weights),
        error=error,
        error_at_80=error_at_80,
        coverage=tuple(_CURVE_COVERAGES.tolist()),
        risk=tuple(risk.tolist()),
        bins=reliability_bins(after, labels, weights),
    )


def fit_temperature(logits: FloatArray, labels: Labels, weights: FloatArray) -> float:
    """Return the temperature with the least weighted negative log-likelihood (Guo et al. 2017).

    logits: [N, 7]. labels: [N]. weights: [N], how much each row counts.
    """

    def loss(temperature: float) -> float:
        of_label = calibrated_probabilities(logits, temperature)[np.arange(len(labels)), labels]
        return float(-np.average(np.log(np.maximum(of_label, 1e-12)), weights=weights))

    return float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def reliability_bins(
    probabilities: FloatArray, labels: Labels, weights: FloatArray | None = None
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that are not empty of 15 of equal width, over the confidence of probabilities [N, 7]."""
    weights = np.ones(len(labels), dtype=np.float32) if weights is None else weights
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    numbers = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = []
    for number in np.unique(numbers):
        inside = numbers == number
        bins.append(
            ReliabilityBin(
                lower=float(number / _BINS),
                upper=float((number + 1) / _BINS),
                count=int(inside.sum()),
                weight=float(weights[inside].sum() / weights.sum()),
                confidence=float(np.average(confidence[inside], weights=weights[inside])),
                accuracy=float(np.average(correct[inside], weights=weights[inside])),
            )
        )
    return tuple(bins)


def expected_calibration_error(probabilities: FloatArray, labels: Labels, weights: FloatArray | None = None) -> float:
    """Return the ECE 0..1 of probabilities [N, 7] over 15 bins of equal width (Naeini et al. 2015)."""
    bins = reliability_bins(probabilities, labels, weights)
    return float(sum(one.weight * abs(one.accuracy - one.confidence) for one in bins))


def brier_score(probabilities: FloatArray, labels: Labels, weights: FloatArray | None = None) -> float:
    """Return the Brier score 0..2 of probabilities [N, 7]: the mean squared distance to the label (Brier 1950)."""
    distance = ((probabilities - np.eye(len(LABELS))[labels]) ** 2).sum(axis=1)
    return float(np.average(distance, weights=weights))


def selective_risk(
    probabilities: FloatArray,
    labels: Labels,
    coverages: npt.NDArray[np.float64],
    weights: FloatArray | None = None,
) -> npt.NDArray[np.float64]:
    """Return the share [C] of wrong answers among the surest, by how many of all are answered (coverages [C], 0..1).

    Source: Geifman & El-Yaniv 2017.
    """
    weights = np.ones(len(labels), dtype=np.float64) if weights is None else weights.astype(np.float64)
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = (probabilities.argmax(axis=1) != labels)[order] * weights[order]
    covered = weights[order].cumsum()
    last = np.searchsorted(covered, coverages * covered[-1] * (1 - 1e-9)).clip(0, len(labels) - 1)
    risk: npt.NDArray[np.float64] = wrong.cumsum()[last] / covered[last]
    return risk


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
