"""How many answers are right. Labels and answers are indices into LABELS; an answer that is no label is wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dfer_ros.core.labels import LABELS

Labels = npt.NDArray[np.int64]
"""[N] int64."""


def accuracy(predicted: Labels, labels: Labels) -> float:
    """Return the share of right answers 0..1 (weighted average recall, WAR)."""
    return float(np.mean(predicted == labels))


def unweighted_average_recall(predicted: Labels, labels: Labels) -> float:
    """Return the mean of the recalls 0..1 of the classes that occur (UAR)."""
    # Resampling calls this thousands of times, where scikit-learn's checks of its input would take minutes.
    support = np.bincount(labels, minlength=len(LABELS))
    hits = np.bincount(labels[predicted == labels], minlength=len(LABELS))
    return float(np.mean(hits[support > 0] / support[support > 0]))
