"""How well a change of expression is told: clips of one person, joined at known moments, and clips without a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.settled_expression import SettleConfig, SettledExpression, Transition
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.evaluation.clip_answers import recognized_frames

JOINED_SECONDS = 3.0
"""Most of each clip that is taken: the last seconds of the first one, and the first of the second one."""
_LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Told:
    """What was told on one joined clip, or on one clip as it is.

    old, new: the expressions before and after the join; the same where there is none. change: seconds of the join.
    recognised: whether both clips on their own settle on their label. transitions: what was told, with the stamp (s) at
    which it was. changes: of the label, from frame to frame. seconds: length.
    """

    name: str
    old: str
    new: str
    change: float
    recognised: bool
    transitions: tuple[tuple[float, Transition], ...]
    changes: int
    seconds: float


@dataclass(frozen=True)
class TransitionFigures:
    """Joins of one kind.

    joins: how many. told: those after which a transition to the new expression was told. exact: those where the old one
    was right as well. delay_median, delay_p90: seconds from the join until it was told. others: transitions told that
    are not the one of the join. label_changes: of the label from frame to frame; without the rule each would be told.
    """

    group: str
    joins: int
    told: int
    exact: int
    delay_median: float
    delay_p90: float
    others: int
    label_changes: int
    minutes: float


def tell_joined(clips: Sequence[ClipFaces], recognizer: Recognizer) -> list[Told]:
    """Return what is told on every two clips of one person with different labels, one after the other."""
    usable = [clip for clip in clips if len(clip.stamps) and clip.stamps[-1] - clip.stamps[0] >= _LEAST_SECONDS]
    settled = {clip.name: EXPRESSIONS[clip.label] in _settled_on(clip, recognizer) for clip in usable}
    pairs = ((a, b) for a, b in permutations(usable, 2) if (a.source, a.subject) == (b.source, b.subject))
    return [
        _told_transitions(
            _join(first, second), recognizer, first.label, second.label, settled[first.name] & settled[second.name]
        )
        for first, second in pairs
        if first.label != second.label
    ]


def tell_plain(clips: Iterable[ClipFaces], recognizer: Recognizer) -> list[Told]:
    """Return what is told on each clip as it is: one expression, though many begin with a neutral face."""
    return [
        _told_transitions((clip, float("inf")), recognizer, clip.label, clip.label, True)
        for clip in clips
        if len(clip.stamps)
    ]


def transition_figures(group: str, told: Sequence[Told]) -> TransitionFigures:
    """Return the figures of some joined clips, or of some that are as they are, where nothing is to be told."""
    found = [(one, hit) for one in told for hit in [_matching_transition(one)] if hit is not None]
    delays = [stamp - one.change for one, (stamp, _) in found] or [np.nan]
    return TransitionFigures(
        group,
        len(told),
        len(found),
        sum(transition.old == one.old for one, (_, transition) in found),
        float(np.median(delays)),
        float(np.percentile(delays, 90)),
        sum(len(one.transitions) for one in told) - len(found),
        sum(one.changes for one in told),
        sum(one.seconds for one in told) / 60.0,
    )


def _matching_transition(told: Told) -> tuple[float, Transition] | None:
    """Return the first transition to the new expression after the join, with its stamp."""
    return next(((stamp, one) for stamp, one in told.transitions if one.new == told.new and stamp >= told.change), None)


def _join(first: ClipFaces, second: ClipFaces) -> tuple[ClipFaces, float]:
    """Return two clips as one, one frame apart, and the stamp (s) where the second begins."""
    before = np.flatnonzero(first.stamps >= first.stamps[-1] - JOINED_SECONDS)
    after = np.flatnonzero(second.stamps <= second.stamps[0] + JOINED_SECONDS)
    start = first.stamps[before] - first.stamps[before[0]]
    change = float(start[-1] + np.median(np.diff(first.stamps)))
    joined = ClipFaces(
        f"{first.name} > {second.name}",
        second.label,
        second.source,
        second.subject,
        [*(first.crops[index] for index in before), *(second.crops[index] for index in after)],
        np.concatenate([start, second.stamps[after] - second.stamps[0] + change]),
        np.concatenate([first.quality[before], second.quality[after]]),
    )
    return joined, change


def _told_transitions(
    clip: tuple[ClipFaces, float], recognizer: Recognizer, old: int, new: int, recognised: bool
) -> Told:
    faces, change = clip
    answers = recognized_frames(faces, recognizer)
    follower = SettledExpression(SettleConfig(), float(faces.stamps[0]))
    told = []
    for stamp, answer in zip(faces.stamps.tolist(), answers):
        settled = follower.read(stamp, answer.expression)
        if settled is not None and settled.transition is not None:
            told.append((stamp, settled.transition))
    changes = sum(a.expression != b.expression for a, b in pairwise(answers))
    seconds = float(faces.stamps[-1] - faces.stamps[0])
    return Told(faces.name, EXPRESSIONS[old], EXPRESSIONS[new], change, recognised, tuple(told), changes, seconds)


def _settled_on(faces: ClipFaces, recognizer: Recognizer) -> set[str]:
    follower = SettledExpression(SettleConfig(), float(faces.stamps[0]))
    answers: list[Emotion] = recognized_frames(faces, recognizer)
    for stamp, answer in zip(faces.stamps.tolist(), answers):
        follower.read(stamp, answer.expression)
    return {follower.expression}
