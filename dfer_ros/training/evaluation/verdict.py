"""Whether one model is better than another on the same clips, by how much, and whether chance allows the word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.core.recall import Labels, accuracy, unweighted_average_recall
from dfer_ros.training.data.manifest import ALL_VIDEOS
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, answers_and_labels
from dfer_ros.training.evaluation.metrics import Interval

_RESAMPLES = 2000


@dataclass(frozen=True)
class Verdict:
    """What a model gains over another one. on: what both answered. count: how many of these there were.

    war, uar: the differences, -1..1. war_interval, uar_interval: 95 %, over what was answered on by both.
    """

    on: str
    other: str
    count: int
    war: float
    uar: float
    war_interval: Interval
    uar_interval: Interval

    @property
    def word(self) -> str:
        """Better or worse where the interval of the UAR excludes zero, else that it cannot be told."""
        if self.uar_interval.low > 0:
            return "better"
        return "worse" if self.uar_interval.high < 0 else "cannot be told"


def clip_verdicts(
    answers: Sequence[ClipAnswer], by_peer: Mapping[str, Sequence[ClipAnswer]], seed: int
) -> list[Verdict]:
    """Return the verdicts of answers on videos over those of every peer on the same clips; none without videos."""
    ours = {(answer.source, answer.name): answer for answer in answers if answer.video}
    if not ours:
        return []
    predicted, labels = answers_and_labels(list(ours.values()))
    verdicts = []
    for name, given in by_peer.items():
        theirs = {(answer.source, answer.name): answer for answer in given}
        others, _ = answers_and_labels([theirs[key] for key in ours])
        verdicts.append(compare_answers(ALL_VIDEOS, name, predicted, others, labels, seed))
    return verdicts


def compare_answers(on: str, other: str, ours: Labels, theirs: Labels, labels: Labels, seed: int) -> Verdict:
    """Return the verdict of our answers [N] over others' [N] on labels [N], N >= 1.

    The interval is that of percentiles over resamples of the N with replacement; both are resampled alike, so that
    what is hard for both does not count (the paired bootstrap of Efron & Tibshirani 1993).
    """
    chance = np.random.default_rng(seed)
    drawn = chance.integers(len(labels), size=(_RESAMPLES, len(labels)))
    gains, bounds = [], []
    for measure in (accuracy, unweighted_average_recall):
        gains.append(measure(ours, labels) - measure(theirs, labels))
        resampled = [measure(ours[rows], labels[rows]) - measure(theirs[rows], labels[rows]) for rows in drawn]
        bounds.append(Interval(*np.percentile(resampled, (2.5, 97.5)).tolist()))
    return Verdict(on, other, len(labels), gains[0], gains[1], bounds[0], bounds[1])
