"""Two expressions at once: stretches in which two of them share the probability.

A blend (a compound expression: Du, Tao & Martinez 2014) is a stretch of at least `least_seconds` in which the two most
likely expressions other than neutral are the same pair and each has at least `least_probability`. Interruptions of up
to `bridge_seconds` do not end it. Probabilities are what the model believes: they cannot tell a mixed expression from
one that the model takes for either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.decision import DecisionConfig
from dfer_ros.core.labels import EXPRESSIONS, LABELS
from dfer_ros.recordings.emotion_track import NEUTRAL_STATE, EmotionTrack, RecordedEmotions
from dfer_ros.recordings.label_runs import Indices, label_runs

_NONE = -1


@dataclass(frozen=True)
class BlendConfig:
    """least_probability: 0..0.5, of each of the two. least_seconds, bridge_seconds: see above."""

    least_probability: float = DecisionConfig.secondary_threshold
    least_seconds: float = 0.3
    bridge_seconds: float = 0.25


@dataclass(frozen=True)
class Blend:
    """Two expressions of one person at once.

    expressions: by their REP-155 names, the more likely first. probabilities: 0..1, their means. begin, end: seconds.
    """

    face_id: str
    expressions: tuple[str, str]
    probabilities: tuple[float, float]
    begin: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds from begin to end."""
        return self.end - self.begin


def find_blends(recording: RecordedEmotions, track: EmotionTrack, config: BlendConfig | None = None) -> list[Blend]:
    """Return the blends of a track of a recording, by time."""
    config = config or BlendConfig()
    ends_at = track.stamps + recording.durations(track)
    runs = label_runs(track, _pairs(track, config.least_probability), recording.gap_seconds)
    stretches: list[tuple[int, int, int]] = []
    for start, end, pair, after_gap in zip(runs.starts, runs.ends, runs.values.tolist(), runs.after_gap):
        if pair == _NONE:
            continue
        last_pair, last_start, last_end = stretches[-1] if stretches else (_NONE, 0, 0)
        missing = track.stamps[start] - ends_at[last_end - 1] if last_pair == pair and not after_gap else np.inf
        if missing <= config.bridge_seconds:
            stretches[-1] = (pair, last_start, int(end))
        else:
            stretches.append((pair, int(start), int(end)))
    blends = [_blend(track, *stretch, float(ends_at[stretch[2] - 1])) for stretch in stretches]
    return [blend for blend in blends if blend.duration >= config.least_seconds]


def _pairs(track: EmotionTrack, least_probability: float) -> Indices:
    """Return the number of the blended pair at each answer [N], _NONE where there is none."""
    probabilities = track.probabilities.copy()
    probabilities[:, NEUTRAL_STATE] = -1.0
    top = np.sort(np.argsort(probabilities, axis=1)[:, -2:], axis=1)
    second = np.sort(probabilities, axis=1)[:, -2]
    pairs: Indices = np.where(second >= least_probability, top[:, 0] * len(LABELS) + top[:, 1], _NONE)
    return pairs


def _blend(track: EmotionTrack, pair: int, start: int, end: int, ends_at: float) -> Blend:
    first, second = divmod(pair, len(LABELS))
    means = track.probabilities[start:end].mean(axis=0)
    if means[second] > means[first]:
        first, second = second, first
    return Blend(
        track.face_id,
        (EXPRESSIONS[first], EXPRESSIONS[second]),
        (float(means[first]), float(means[second])),
        float(track.stamps[start]),
        ends_at,
    )
