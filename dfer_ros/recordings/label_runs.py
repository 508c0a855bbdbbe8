"""What is named over time as runs of the same label, how one follows another, and what turned into what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dfer_ros.core.settled_expression import SettleConfig, SettledExpression, Transition
from dfer_ros.recordings.emotion_track import STATES, EmotionTrack, Floats, RecordedEmotions

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelRuns:
    """The R longest stretches of a track without a gap and without a change.

    starts, ends: [R] index of the first answer, and of the one after the last. values: [R], what stays the same.
    after_gap: [R], whether the stretch begins the track or follows a gap.
    """

    starts: Indices
    ends: Indices
    values: Indices
    after_gap: npt.NDArray[np.bool_]


def label_runs(track: EmotionTrack, values: Indices, gap_seconds: float) -> LabelRuns:
    """Return the runs of values [N], one for each answer of a track of at least one answer, such as its states."""
    gaps = np.diff(track.stamps) > gap_seconds
    changes = gaps | (np.diff(values) != 0)
    starts = np.append(0, np.flatnonzero(changes) + 1)
    ends = np.append(starts[1:], len(track))
    return LabelRuns(starts, ends, values[starts], np.append(True, gaps[starts[1:] - 1]))


def transitions(track: EmotionTrack, gap_seconds: float) -> Indices:
    """Return how often each state [8, row] was followed by each other one [8, column], in the order of STATES.

    A change counts from one frame to the next, not across a gap; the diagonal is 0.
    """
    runs = label_runs(track, track.states, gap_seconds)
    follows = ~runs.after_gap[1:]
    counts = np.zeros((len(STATES), len(STATES)), dtype=np.int64)
    np.add.at(counts, (runs.values[:-1][follows], runs.values[1:][follows]), 1)
    return counts


def find_transitions(
    recording: RecordedEmotions, track: EmotionTrack, config: SettleConfig | None = None
) -> list[Transition]:
    """Return the transitions of a track of a recording, by time. In a gap nothing settles."""
    follower = SettledExpression(config or SettleConfig(), float(track.stamps[0]))
    gaps = np.append(False, np.diff(track.stamps) > recording.gap_seconds).tolist()
    found = []
    for stamp, state, after_gap in zip(track.stamps.tolist(), track.states.tolist(), gaps):
        if after_gap:
            follower.interrupt()
        settled = follower.read(stamp, STATES[state])
        if settled is not None and settled.transition is not None:
            found.append(settled.transition)
    return found


def transition_counts(transitions: Sequence[Transition]) -> tuple[Indices, Floats]:
    """Return how often each state [8, row] turned into each other [8, column], and the median seconds it took.

    In the order of STATES; not a number where it never did.
    """
    counts = np.zeros((len(STATES), len(STATES)), dtype=np.int64)
    seconds = np.full(counts.shape, np.nan)
    for row, old in enumerate(STATES):
        for column, new in enumerate(STATES):
            times = [one.seconds for one in transitions if (one.old, one.new) == (old, new)]
            counts[row, column] = len(times)
            seconds[row, column] = np.median(times) if times else np.nan
    return counts, seconds
