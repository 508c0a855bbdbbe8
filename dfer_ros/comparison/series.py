"""A comparison over time, in bins of equal length."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dfer_ros.comparison.comparison import Comparison
from dfer_ros.recordings.emotion_track import Floats

_MOST_BINS = 120
_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, eq=False)
class ComparisonSeries:
    """B bins of time.

    starts: [B] seconds, on the clock of the stamps. width: of a bin, seconds. answers: [B] pairs in a bin.
    agreement: [B] share of these with the same label. confidence, valence, arousal: [B] mean change from old to new.
    NaN where there are no pairs.
    """

    starts: Floats
    width: float
    answers: Floats
    agreement: Floats
    confidence: Floats
    valence: Floats
    arousal: Floats


def comparison_series(comparison: Comparison) -> ComparisonSeries:
    """Return a comparison over time, in at most 120 bins of half a second or more."""
    old, new, pairs = comparison.old_answers, comparison.new_answers, comparison.pairs
    begin = float(min(old.stamps.min(), new.stamps.min()))
    span = float(max(old.stamps.max(), new.stamps.max())) - begin
    width = next((step for step in _STEPS if span < step * _MOST_BINS), span / (_MOST_BINS - 1))
    bins = math.floor(span / width) + 1
    where = np.clip(((old.stamps[pairs.old] - begin) / width).astype(np.int64), 0, bins - 1)
    counts = np.bincount(where, minlength=bins).astype(np.float64)

    def means(values: Floats) -> Floats:
        sums = np.bincount(where, weights=values, minlength=bins)
        return np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0)

    return ComparisonSeries(
        starts=begin + width * np.arange(bins),
        width=width,
        answers=counts,
        agreement=means((old.states[pairs.old] == new.states[pairs.new]).astype(np.float64)),
        confidence=means(new.confidences[pairs.new] - old.confidences[pairs.old]),
        valence=means(new.valence[pairs.new] - old.valence[pairs.old]),
        arousal=means(new.arousal[pairs.new] - old.arousal[pairs.old]),
    )
