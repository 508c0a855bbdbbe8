"""Expressions as events: from label, intensity and phase over time to onset, apex and offset.

The terms are those of the field (CASME II, Yan et al. 2014): the onset is the first frame of the change, the apex the
frame of the highest intensity, the offset the frame where the face is back; the duration is from onset to offset.

1. The core of an episode is a stretch in which one expression other than neutral is named. Neutral, unknown or
   missing frames of up to `bridge_seconds` inside do not end it; another expression and a gap do.
2. The apex is the frame of the highest intensity in the core, among those of the phase apex where the model tells any.
3. The onset is looked for backwards from the core: the last frame whose intensity is at most `rise_share` of the way
   from the lowest intensity found there to that of the apex. The search ends `reach_seconds` before the core, at a gap,
   at the core of another episode, and at a frame of the phase neutral. The offset is looked for forwards alike.
4. The onset speed is the slope from the onset to where all but `rise_share` of the rise to the apex is reached: from
   10 to 90 %, as rise times are taken everywhere. The offset speed is that of the fall, alike.

Where the face comes into view with the expression on it, or leaves with it, or another expression follows at once, the
times are those of the core; such an onset has no speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.emotion import PHASES
from dfer_ros.recordings.emotion_track import (
    NEUTRAL_STATE,
    STATES,
    UNKNOWN_STATE,
    EmotionTrack,
    Floats,
    RecordedEmotions,
)
from dfer_ros.recordings.label_runs import Indices, label_runs

_NEUTRAL_PHASE, _APEX_PHASE = PHASES.index("neutral"), PHASES.index("apex")


@dataclass(frozen=True)
class EpisodeConfig:
    """bridge_seconds: longest interruption inside an episode. reach_seconds: how far onset and offset may lie from it.

    rise_share: share of the rise (0..0.5) that counts as not begun, and the same at its top as reached.
    """

    bridge_seconds: float = 0.25
    reach_seconds: float = 2.0
    rise_share: float = 0.1


@dataclass(frozen=True)
class Episode:
    """One expression of one person.

    expression: by its REP-155 name. onset, apex, offset: seconds, as the stamps of the track.
    onset_seen, offset_seen: whether begin and end were in view. apex_index: index of the apex in the track.
    intensity: 0..1, at the apex. confidence: 0..1, the mean over the core. onset_speed, offset_speed: intensity per
    second, or None.
    """

    face_id: str
    expression: str
    onset: float
    apex: float
    offset: float
    onset_seen: bool
    offset_seen: bool
    apex_index: int
    intensity: float
    confidence: float
    onset_speed: float | None
    offset_speed: float | None

    @property
    def duration(self) -> float:
        """Seconds from onset to offset."""
        return self.offset - self.onset


@dataclass(frozen=True)
class _Core:
    """The answers start..end (exclusive) of a track name `state`."""

    state: int
    start: int
    end: int


def find_episodes(
    recording: RecordedEmotions, track: EmotionTrack, config: EpisodeConfig | None = None
) -> list[Episode]:
    """Return the episodes of a track of a recording, by time."""
    config = config or EpisodeConfig()
    gap_seconds = recording.gap_seconds
    gaps = np.flatnonzero(np.diff(track.stamps) > gap_seconds) + 1
    edges = np.concatenate([[0], gaps, [len(track)]])
    holds_until = track.stamps + recording.durations(track)
    cores = _cores(track, gap_seconds, config.bridge_seconds)
    episodes = []
    for index, core in enumerate(cores):
        part = int(np.searchsorted(edges, core.start, side="right"))
        first, stop = int(edges[part - 1]), int(edges[part])
        before = _before(track, core, max(first, cores[index - 1].end) if index else first, config)
        after = _after(track, core, min(stop, cores[index + 1].start) if index + 1 < len(cores) else stop, config)
        apex = _apex(track, core)
        onset = _onset(track.intensity, core, before, track.intensity[apex], config)
        offset = _offset(track.intensity, core, after, track.intensity[apex], config)
        episodes.append(
            Episode(
                face_id=track.face_id,
                expression=STATES[core.state],
                onset=float(track.stamps[onset]),
                apex=float(track.stamps[apex]),
                offset=float(holds_until[core.end - 1] if offset is None else track.stamps[offset]),
                onset_seen=core.start > first,
                offset_seen=core.end < stop,
                apex_index=apex,
                intensity=float(track.intensity[apex]),
                confidence=float(track.confidences[core.start : core.end].mean()),
                onset_speed=_onset_speed(track, onset, apex, config) if before < core.start else None,
                offset_speed=None if offset is None else _offset_speed(track, apex, offset, config),
            )
        )
    return episodes


def _cores(track: EmotionTrack, gap_seconds: float, bridge_seconds: float) -> list[_Core]:
    runs = label_runs(track, track.states, gap_seconds)
    cores: list[_Core] = []
    bridgeable = False
    for start, end, state, after_gap in zip(runs.starts, runs.ends, runs.values.tolist(), runs.after_gap):
        bridgeable = bridgeable and not after_gap
        if state in (NEUTRAL_STATE, UNKNOWN_STATE):
            continue
        last = cores[-1] if bridgeable else None
        if last and last.state == state and track.stamps[start] - track.stamps[last.end - 1] <= bridge_seconds:
            cores[-1] = _Core(state, last.start, int(end))
        else:
            cores.append(_Core(state, int(start), int(end)))
        bridgeable = True
    return cores


def _before(track: EmotionTrack, core: _Core, first: int, config: EpisodeConfig) -> int:
    """Return the first answer, not before `first`, where the onset may lie; that of the core if none lies before it."""
    reach = np.searchsorted(track.stamps, track.stamps[core.start] - config.reach_seconds)
    first = max(first, int(reach))
    neutral = np.flatnonzero(track.phases[first : core.start] == _NEUTRAL_PHASE)
    return first + int(neutral[-1]) if len(neutral) else first


def _after(track: EmotionTrack, core: _Core, stop: int, config: EpisodeConfig) -> int:
    """Return the answer, not beyond `stop`, that follows the last one where the offset may lie."""
    reach = np.searchsorted(track.stamps, track.stamps[core.end - 1] + config.reach_seconds, side="right")
    stop = max(min(stop, int(reach)), core.end)
    neutral = np.flatnonzero(track.phases[core.end : stop] == _NEUTRAL_PHASE)
    return core.end + int(neutral[0]) + 1 if len(neutral) else stop


def _apex(track: EmotionTrack, core: _Core) -> int:
    strength = track.intensity[core.start : core.end]
    in_phase = track.phases[core.start : core.end] == _APEX_PHASE
    return core.start + int(np.where(in_phase, strength, -1.0).argmax() if in_phase.any() else strength.argmax())


def _onset(intensity: Floats, core: _Core, before: int, peak: float, config: EpisodeConfig) -> int:
    calm = _calm(intensity[before : core.start], peak, config)
    if not len(calm):
        return core.start if before == core.start else core.start - 1
    return before + int(calm[-1])


def _offset(intensity: Floats, core: _Core, after: int, peak: float, config: EpisodeConfig) -> int | None:
    """Return the answer at which the face is back; None where nothing follows the core."""
    calm = _calm(intensity[core.end : after], peak, config)
    if not len(calm):
        return None if after == core.end else core.end
    return core.end + int(calm[0])


def _calm(intensity: Floats, peak: float, config: EpisodeConfig) -> Indices:
    """Return where the intensity [n] beside a core is as low as it gets there, but for rise_share of the way up."""
    if not len(intensity):
        return np.zeros(0, dtype=np.int64)
    base = intensity.min()
    return np.flatnonzero(intensity <= base + config.rise_share * (peak - base))


def _onset_speed(track: EmotionTrack, onset: int, apex: int, config: EpisodeConfig) -> float | None:
    rise = track.intensity[apex] - track.intensity[onset]
    if rise <= 0:
        return None
    reached = track.intensity[onset : apex + 1] >= track.intensity[onset] + (1 - config.rise_share) * rise
    top = onset + int(reached.argmax())
    seconds = track.stamps[top] - track.stamps[onset]
    return float((track.intensity[top] - track.intensity[onset]) / seconds) if seconds > 0 else None


def _offset_speed(track: EmotionTrack, apex: int, offset: int, config: EpisodeConfig) -> float | None:
    fall = track.intensity[apex] - track.intensity[offset]
    if fall <= 0:
        return None
    high = track.intensity[apex : offset + 1] >= track.intensity[offset] + (1 - config.rise_share) * fall
    top = apex + int(np.flatnonzero(high)[-1])
    seconds = track.stamps[offset] - track.stamps[top]
    return float((track.intensity[top] - track.intensity[offset]) / seconds) if seconds > 0 else None
