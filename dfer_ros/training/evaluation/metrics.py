"""Metrics of classification. Labels and answers are indices into LABELS; an answer of -1 means none, and is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from dfer_ros.core.labels import LABELS
from dfer_ros.core.recall import Labels, accuracy, unweighted_average_recall

_CLASSES = np.arange(len(LABELS))
_RESAMPLES = 1000


@dataclass(frozen=True)
class ClassificationMetrics:
    """All shares are 0..1. accuracy is the weighted average recall (WAR), uar the unweighted one.

    micro_f1: with one label and one answer each it is the accuracy; it is larger where some have no answer, for these
    are missed but are no wrong answers. macro_f1 is over the classes that occur.
    precision, recall, support: by class in the order of LABELS; the recall of a class that does not occur is 0 and
    counts in no mean. confusion: [7][7], how often the label of the row was answered with that of the column.
    """

    count: int
    accuracy: float
    uar: float
    macro_f1: float
    micro_f1: float
    weighted_f1: float
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    support: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]


def classification_metrics(predicted: Labels, labels: Labels) -> ClassificationMetrics:
    """Return the metrics of answers [N] on labels [N], N >= 1."""
    occurring = np.unique(labels)
    precision, recall, _, support = precision_recall_fscore_support(
        labels, predicted, labels=_CLASSES, average=None, zero_division=0
    )
    f1 = {
        average: float(
            precision_recall_fscore_support(labels, predicted, labels=classes, average=average, zero_division=0)[2]
        )
        for average, classes in (("macro", occurring), ("micro", _CLASSES), ("weighted", occurring))
    }
    return ClassificationMetrics(
        count=len(labels),
        accuracy=accuracy(predicted, labels),
        uar=unweighted_average_recall(predicted, labels),
        macro_f1=f1["macro"],
        micro_f1=f1["micro"],
        weighted_f1=f1["weighted"],
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        support=tuple(support.tolist()),
        confusion=tuple(map(tuple, confusion_matrix(labels, predicted, labels=_CLASSES).tolist())),
    )


@dataclass(frozen=True)
class Interval:
    """Bounds 0..1 of a 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """Confidence intervals of WAR and UAR."""

    accuracy: Interval
    uar: Interval


def bootstrap_intervals(predicted: Labels, labels: Labels, seed: int) -> Intervals:
    """Return 95 % percentile intervals over 1000 resamples with replacement of the N answers (Efron 1979)."""
    return Intervals(
        *(_bootstrap(measure, predicted, labels, seed) for measure in (accuracy, unweighted_average_recall))
    )


def _bootstrap(measure: object, predicted: Labels, labels: Labels, seed: int) -> Interval:
    if len(labels) < 2:
        return Interval(0.0, 1.0)
    result = bootstrap(
        (predicted, labels),
        measure,
        n_resamples=_RESAMPLES,
        vectorized=False,
        paired=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(result.confidence_interval.low), float(result.confidence_interval.high))
