"""What a recording says about one person, in figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.settled_expression import Transition
from dfer_ros.recordings.blends import Blend, find_blends
from dfer_ros.recordings.emotion_track import STATES, UNKNOWN_STATE, EmotionTrack, Floats, RecordedEmotions
from dfer_ros.recordings.episodes import Episode, find_episodes
from dfer_ros.recordings.label_runs import find_transitions, transitions

FACING_DEGREES = 20.0
"""How far a head may be turned, or its nose be up or down, that counts as facing the camera."""


@dataclass(frozen=True)
class StateFigures:
    """How one person showed one state of STATES over one recording.

    seconds: time for which it was named; share: of the time the person was seen, 0..1. episodes: how many.
    mean_duration: seconds from onset to offset. mean_intensity: 0..1, while named. apex_intensity: 0..1, mean of the
    apexes. onset_speed: intensity per second, median. confidence: 0..1, mean while named. None: there is none.
    """

    state: str
    seconds: float
    share: float
    episodes: int
    mean_duration: float | None
    mean_intensity: float | None
    apex_intensity: float | None
    onset_speed: float | None
    confidence: float | None


@dataclass(frozen=True)
class HeadFigures:
    """How one person held the head over one recording.

    known: 0..1, share of the time in view in which it was told. facing: 0..1, share of that with pitch and yaw within
    FACING_DEGREES of the camera's axis. roll, pitch, yaw: degrees, what one of ten is below, the median, what one of
    ten is above, weighted by time.
    """

    known: float
    facing: float
    roll: tuple[float, float, float]
    pitch: tuple[float, float, float]
    yaw: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Person:
    """One person of a recording.

    seen_seconds: how long in view, gaps left out. visits: [V, 2] begin and end of each stretch without a gap, seconds.
    durations: [N] seconds each answer holds. figures: one for each of STATES, in their order.
    transitions: what turned into what, by time. label_changes: changes of the label from one frame to the next.
    confidence: 0..1, the mean while an expression was named; None where none ever was.
    head: None where no head pose was told.
    """

    track: EmotionTrack
    durations: Floats
    visits: Floats
    seen_seconds: float
    figures: tuple[StateFigures, ...]
    episodes: tuple[Episode, ...]
    blends: tuple[Blend, ...]
    transitions: tuple[Transition, ...]
    label_changes: int
    confidence: float | None
    head: HeadFigures | None

    @property
    def face_id(self) -> str:
        """The id of the face."""
        return self.track.face_id

    @property
    def unknown(self) -> StateFigures:
        """The time for which no expression was sure."""
        return self.figures[UNKNOWN_STATE]

    @property
    def ranking(self) -> tuple[StateFigures, ...]:
        """The expressions named at all, unknown left out, by time."""
        named = [figures for figures in self.figures[:UNKNOWN_STATE] if figures.seconds > 0]
        return tuple(sorted(named, key=lambda figures: -figures.seconds))


def describe_people(recording: RecordedEmotions) -> tuple[Person, ...]:
    """Return the people of a recording, the one seen longest first."""
    people = [_describe(recording, track) for track in recording.tracks]
    return tuple(sorted(people, key=lambda person: -person.seen_seconds))


def _describe(recording: RecordedEmotions, track: EmotionTrack) -> Person:
    durations = recording.durations(track)
    episodes = tuple(find_episodes(recording, track))
    named = track.states != UNKNOWN_STATE
    return Person(
        track=track,
        durations=durations,
        visits=_visits(track, durations, recording.gap_seconds),
        seen_seconds=float(durations.sum()),
        figures=tuple(_figures(track, durations, state, episodes) for state in range(len(STATES))),
        episodes=episodes,
        blends=tuple(find_blends(recording, track)),
        transitions=tuple(find_transitions(recording, track)),
        label_changes=int(transitions(track, recording.gap_seconds).sum()),
        confidence=_mean(track.confidences[named], durations[named]),
        head=_head(track.head_poses, durations),
    )


def _head(poses: Floats, durations: Floats) -> HeadFigures | None:
    told = np.isfinite(poses).all(axis=1)
    if not told.any():
        return None
    times, turned = durations[told], poses[told]
    facing = (np.abs(turned[:, 1:]) <= FACING_DEGREES).all(axis=1)
    roll, pitch, yaw = (_weighted_percentiles(angles, times) for angles in turned.T)
    share = float(times.sum()) / max(float(durations.sum()), 1e-9)
    return HeadFigures(share, _mean(facing.astype(np.float64), times) or 0.0, roll, pitch, yaw)


def _weighted_percentiles(values: Floats, weights: Floats) -> tuple[float, float, float]:
    """Return below what one tenth, one half and nine tenths of the weight is."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    places = np.searchsorted(below, np.array((0.1, 0.5, 0.9)) * below[-1])
    low, middle, high = values[order][np.minimum(places, len(values) - 1)].tolist()
    return low, middle, high


def _visits(track: EmotionTrack, durations: Floats, gap_seconds: float) -> Floats:
    gaps = np.flatnonzero(np.diff(track.stamps) > gap_seconds)
    begins = track.stamps[np.append(0, gaps + 1)]
    lasts = np.append(gaps, len(track) - 1)
    return np.stack([begins, track.stamps[lasts] + durations[lasts]], axis=1)


def _figures(track: EmotionTrack, durations: Floats, state: int, episodes: tuple[Episode, ...]) -> StateFigures:
    named = track.states == state
    own = [episode for episode in episodes if episode.expression == STATES[state]]
    speeds = [episode.onset_speed for episode in own if episode.onset_speed is not None]
    seconds = float(durations[named].sum())
    return StateFigures(
        state=STATES[state],
        seconds=seconds,
        share=seconds / max(float(durations.sum()), 1e-9),
        episodes=len(own),
        mean_duration=float(np.mean([episode.duration for episode in own])) if own else None,
        mean_intensity=_mean(track.intensity[named], durations[named]),
        apex_intensity=float(np.mean([episode.intensity for episode in own])) if own else None,
        onset_speed=float(np.median(speeds)) if speeds else None,
        confidence=_mean(track.confidences[named], durations[named]),
    )


def _mean(values: Floats, weights: Floats) -> float | None:
    """Return the mean of values [n] weighted by their time; None where there is none."""
    if not len(values):
        return None
    return float(np.average(values, weights=weights) if weights.sum() > 0 else values.mean())
