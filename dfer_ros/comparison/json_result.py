"""A comparison as one object that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dfer_ros.comparison.comparison import Comparison, SideFigures
from dfer_ros.comparison.labelled_times import LabelScore
from dfer_ros.comparison.series import comparison_series
from dfer_ros.comparison.tolerances import Check, verdict
from dfer_ros.recordings.emotion_track import STATES

_DIGITS = 6


def json_result(comparison: Comparison, checks: Sequence[Check]) -> dict[str, Any]:
    """Return all figures of a comparison, its checks and the verdict; shares are 0..1, times in seconds."""
    scores = comparison.scores or (None, None)
    result = {
        "old": _side(comparison.old, scores[0]),
        "new": _side(comparison.new, scores[1]),
        "frames": comparison.frames,
        "answers_compared": len(comparison.pairs),
        "agreement": comparison.agreement,
        "agreement_named": comparison.agreement_named,
        "lost": comparison.lost,
        "found": comparison.found,
        "probability_shift": comparison.probability_shift,
        "confidence_shift": asdict(comparison.confidence),
        "valence_shift": asdict(comparison.valence),
        "arousal_shift": asdict(comparison.arousal),
        "changes": [
            {"old": STATES[row], "new": STATES[column], "answers": int(comparison.changes[row, column])}
            for row, column in zip(*comparison.changes.nonzero())
        ],
        "people": [asdict(pair) for pair in comparison.people],
        "over_time": _over_time(comparison),
        "checks": [
            {
                "name": check.measure.name,
                "measure": check.measure.subject,
                "value": check.value,
                "limit": check.limit,
                "within": check.within,
            }
            for check in checks
        ],
        "within": all(check.within for check in checks),
        "verdict": verdict(checks),
        "remarks": list(comparison.remarks),
    }
    rounded: dict[str, Any] = _rounded(result)
    return rounded


def _side(side: SideFigures, score: LabelScore | None) -> dict[str, Any]:
    labels = None if score is None else asdict(score)
    return {**asdict(side), "flips_per_minute": side.flips_per_minute, "labels": labels}


def _over_time(comparison: Comparison) -> list[dict[str, float]]:
    """Return the bins of time that hold answers."""
    series = comparison_series(comparison)
    names = ("starts", "answers", "agreement", "confidence", "valence", "arousal")
    rows = zip(*(getattr(series, name).tolist() for name in names))
    keys = ("start", "answers", "agreement", "confidence_shift", "valence_shift", "arousal_shift")
    return [{**dict(zip(keys, row)), "end": row[0] + series.width} for row in rows if row[1] > 0]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value
