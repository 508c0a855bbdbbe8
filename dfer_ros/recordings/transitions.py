"""What turned into what in a recording: the settled expressions of a person, by the rule that behaviours live with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.core.settled_expression import SettleConfig, SettledExpression, Transition
from dfer_ros.recordings.emotion_track import STATES, EmotionTrack, Floats, RecordedEmotions
from dfer_ros.recordings.label_runs import Indices


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
