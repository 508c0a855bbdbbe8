"""Timelines of an expression: how strong it is at each moment, and what is true at the end of a window.

Times are seconds; the end of a window, when the answer is asked for, is 0, and all before is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dfer_ros.core.faces import FloatArray
from dfer_ros.training.courses.config import CoursesConfig

NEUTRAL_PHASE, ONSET, APEX, OFFSET = range(4)
"""Indices of phases in the order of a head's phase logits."""

_ONSET_SECONDS, _HOLD_SECONDS, _OFFSET_SECONDS = (0.1, 1.5), (0.2, 4.0), (0.1, 1.5)
_BEFORE_SECONDS, _AFTER_SECONDS = 1.5, 1.5
# How often a window ends before the onset, in it, at the apex, in the offset and after it.
_ENDS = (0.08, 0.17, 0.55, 0.12, 0.08)
_LEAST_INTENSITY = 0.1
_GONE_INTENSITY = 0.15


@dataclass(frozen=True)
class Timelines:
    """B timelines. starts: [B, 4], when onset, hold, offset and the neutral face after it begin. amplitude: [B], 0..1.

    steepness: [B], of onset and offset, 1 for a straight line. swell, swell_rate, swell_phase: [B], how much of the
    apex comes and goes (share), how often (Hz), and where in its round it is at the end (radians).
    """

    starts: npt.NDArray[np.float64]
    amplitude: npt.NDArray[np.float64]
    steepness: npt.NDArray[np.float64]
    swell: npt.NDArray[np.float64]
    swell_rate: npt.NDArray[np.float64]
    swell_phase: npt.NDArray[np.float64]

    def intensity(self, times: npt.NDArray[np.float64]) -> FloatArray:
        """Return the intensity [B, T] 0..1 at times [B, T]."""
        onset, hold, offset, after = (self.starts[:, [index]] for index in range(4))
        steepness = self.steepness[:, None]
        rise = _ease((times - onset) / (hold - onset), steepness)
        fall = _ease((times - offset) / (after - offset), steepness)
        wave = 0.5 - 0.5 * np.cos(2 * np.pi * self.swell_rate[:, None] * times + self.swell_phase[:, None])
        level = self.amplitude[:, None] * (1.0 - self.swell[:, None] * wave)
        intensity: FloatArray = (level * rise * (1.0 - fall)).astype(np.float32)
        return intensity


def draw_timelines(count: int, config: CoursesConfig, chance: np.random.Generator) -> Timelines:
    """Return `count` timelines at random."""
    onset, hold, offset = (
        np.exp(chance.uniform(np.log(low), np.log(high), count))
        for low, high in (_ONSET_SECONDS, _HOLD_SECONDS, _OFFSET_SECONDS)
    )
    spans = np.stack([np.full(count, _BEFORE_SECONDS), onset, hold, offset, np.full(count, _AFTER_SECONDS)], axis=1)
    ends = np.cumsum(spans, axis=1)
    where = chance.choice(len(_ENDS), count, p=_ENDS)
    rows = np.arange(count)
    now = ends[rows, where] - chance.random(count) * spans[rows, where]
    starts = ends[:, :4] - now[:, None]
    if not config.courses:
        starts = np.tile(np.array([-1e3, -9e2, 9e2, 1e3]), (count, 1))
    amplitude = chance.uniform(0.4, 1.0, count) if config.partial_intensity else np.ones(count)
    amplitude = np.where(chance.random(count) < config.neutral_share, 0.0, amplitude)
    swell = chance.uniform(0.0, 0.6, count) * (chance.random(count) < 0.6) * config.swelling
    return Timelines(
        starts,
        amplitude,
        chance.uniform(1.0, 3.0, count),
        swell,
        chance.uniform(0.2, 1.5, count),
        chance.uniform(0.0, 2 * np.pi, count),
    )


def phase_at_end(timelines: Timelines, intensity: FloatArray) -> npt.NDArray[np.int64]:
    """Return the phase [B] at the end of each window. intensity: [B], at the end."""
    begun = (timelines.starts <= 0).sum(axis=1)
    phase = np.array([NEUTRAL_PHASE, ONSET, APEX, OFFSET, NEUTRAL_PHASE])[begun]
    return np.where(intensity < _LEAST_INTENSITY, NEUTRAL_PHASE, phase)


def expressed_at_end(timelines: Timelines, intensity: FloatArray, config: CoursesConfig) -> npt.NDArray[np.bool_]:
    """Return for each window whether its label is the expression: strong enough, or not yet clearly gone."""
    begun = (timelines.starts <= 0).sum(axis=1)
    fading = (begun >= 2) & (intensity >= _GONE_INTENSITY)
    return (intensity >= config.named_intensity) | fading


def _ease(done: npt.NDArray[np.float64], steepness: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far a change is, 0..1, that is slow at both ends and fast in the middle."""
    done = np.clip(done, 0.0, 1.0)
    far = done**steepness
    eased: npt.NDArray[np.float64] = far / (far + (1.0 - done) ** steepness)
    return eased
