"""What answers of heads that never saw a source say about the shipped one: its temperature, and when it is unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.recall import Labels
from dfer_ros.training.evaluation.clip_answers import KIND, ClipAnswer, frame_rows, groups
from dfer_ros.training.evaluation.clips import at_temperature, frame_temperature, left_out_calibration
from dfer_ros.training.head.left_out import HEAD, ComparisonRow
from dfer_ros.training.head.training import HeadTrainingConfig

_LEAST_CLIPS = 5
"""Of a kind, to fit a temperature on."""


def write_calibration(
    answers: Sequence[ClipAnswer],
    rows: Sequence[ComparisonRow],
    training: HeadTrainingConfig,
    named_precision: float,
    path: Path,
) -> None:
    """Write the window of the head, its temperature, its threshold of unknown, and how good it is by source.

    answers: at temperature 1, each by a head that never saw its source. Raises OutputError where it cannot be written.
    """
    temperature = round(frame_temperature(answers), 3)
    window = {"seconds": training.window_seconds, "frames": training.window_frames}
    content: dict[str, Any] = {"temperature": temperature, "window": window}
    if training.logit_adjustment:
        content["logit_adjustment"] = dict(training.logit_adjustment)
    videos = [at_temperature(answer, 1.0, temperature) for answer in answers if answer.video]
    if videos:
        found = threshold_for(*frame_rows(videos), named_precision)
        if found is not None:
            content["unknown"] = {
                "threshold": found.threshold,
                "precision": round(found.precision, 3),
                "named": round(found.named, 3),
            }
    content["temperature_of_kinds"] = {
        name.removeprefix(KIND): round(frame_temperature(group), 3)
        for name, group in groups(answers).items()
        if name.startswith(KIND) and len(group) >= _LEAST_CLIPS
    }
    left_out = left_out_calibration(answers, 1.0)
    if left_out is not None:
        frames = left_out.frames
        content["frames_of_videos"] = {
            "ece": round(frames.ece, 3),
            "ece_if_calibrated_exactly": round(left_out.frames_floor.mean, 3),
            "error": round(frames.error, 3),
            "error_at_80": round(frames.error_at_80, 3),
        }
    plain = [row for row in rows if row.head == HEAD and row.order == "plain"]
    content["sources"] = {
        row.source: {"count": row.clips, "war": round(100 * row.war, 1), "uar": round(100 * row.uar, 1)}
        for row in plain
    }
    with whole_path(path) as part:
        part.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


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
