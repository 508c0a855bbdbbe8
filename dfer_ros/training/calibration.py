"""Calibration: the temperature that makes probabilities honest, and the error that is left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.faces import FloatArray

_BINS = 15


def fit_temperature(logits: FloatArray, labels: npt.NDArray[np.int64], weights: FloatArray) -> float:
    """Return the temperature with the least weighted negative log-likelihood (Guo et al. 2017).

    logits: [N, 7]. labels: [N]. weights: [N], how much each row counts.
    """

    def loss(temperature: float) -> float:
        of_label = calibrated_probabilities(logits, temperature)[np.arange(len(labels)), labels]
        return float(-np.average(np.log(np.maximum(of_label, 1e-12)), weights=weights))

    return float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def expected_calibration_error(
    probabilities: FloatArray, labels: npt.NDArray[np.int64], weights: FloatArray | None = None
) -> float:
    """Return the ECE 0..1 of probabilities [N, 7] over 15 bins of equal width (Naeini et al. 2015)."""
    weights = np.ones(len(labels), dtype=np.float32) if weights is None else weights
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for index in np.unique(bins):
        inside = bins == index
        gap = np.average(correct[inside], weights=weights[inside]) - np.average(
            confidence[inside], weights=weights[inside]
        )
        error += abs(gap) * weights[inside].sum()
    return float(error / weights.sum())


def accuracy(predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    """Return the share of right answers 0..1 (weighted average recall, WAR)."""
    return float(np.mean(predicted == labels))


def unweighted_average_recall(predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    """Return the mean of the recalls 0..1 of the classes that occur (UAR)."""
    return float(np.mean([np.mean(predicted[labels == label] == label) for label in np.unique(labels)]))
