"""Which frames of a simulated window there are: camera rates, drops, gaps, and what core.window keeps of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dfer_ros.core.window import WindowConfig
from dfer_ros.training.courses.config import CoursesConfig

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

_SLOWEST_RATE, _FASTEST_RATE, _STEADY_RATE = 5.0, 60.0, 30.0
_FOREVER = 1e6


def draw_frames(
    count: int, window: WindowConfig, config: CoursesConfig, chance: np.random.Generator
) -> tuple[Floats, Booleans]:
    """Return the ages [B, T] in seconds of the frames that windows hold, oldest first, and where there are any [B, T].

    T is window.frames; ages beyond the newest frame, whose age is 0, are 0.
    """
    columns = int(window.seconds * _FASTEST_RATE) + 2
    rate = np.full((count, 1), _STEADY_RATE)
    if config.uneven_rates:
        rate = np.exp(chance.uniform(np.log(_SLOWEST_RATE), np.log(_FASTEST_RATE), (count, 1)))
    ages = np.arange(columns)[None, :] / rate
    if config.uneven_rates:
        unsteady = 0.3 * chance.random((count, 1))
        ages = ages + chance.uniform(-0.5, 0.5, ages.shape) * unsteady / rate
    there = np.ones(ages.shape, dtype=bool)
    if config.dropped_frames:
        there &= chance.random(ages.shape) >= 0.3 * chance.random((count, 1)) * (chance.random((count, 1)) < 0.5)
        there &= ~_gap(ages, chance)
    if config.short_histories:
        history = np.where(chance.random((count, 1)) < 0.4, chance.uniform(0.0, window.seconds, (count, 1)), _FOREVER)
        there &= ages <= history
    ages[:, 0], there[:, 0] = 0.0, True
    return kept_by_window(ages[:, ::-1], there[:, ::-1], window)


def kept_by_window(ages: Floats, there: Booleans, window: WindowConfig) -> tuple[Floats, Booleans]:
    """Return what core.window.FrameWindow keeps of frames: ages [B, T] and where there are any [B, T].

    ages: [B, N] seconds before the end, oldest first; the newest is at the end. there: [B, N], which of them came.
    """
    count, columns = ages.shape
    there = there & (ages <= window.seconds)
    spacing = window.seconds / window.frames
    slots = np.full(ages.shape, -1)
    used = np.zeros(count, dtype=int)
    newest, previous = np.full(count, _FOREVER), np.full(count, _FOREVER)
    for column in range(columns):
        here = there[:, column]
        replaced = here & (used >= 2) & (previous - newest < spacing)
        added = here & ~replaced
        previous = np.where(added, newest, previous)
        newest = np.where(here, ages[:, column], newest)
        used += added
        slots[:, column] = np.where(here, used - 1, -1)
    slots -= np.maximum(used - window.frames, 0)[:, None]
    kept_ages, kept = np.zeros((count, window.frames)), np.zeros((count, window.frames), dtype=bool)
    rows, taken = np.nonzero(slots >= 0)
    # Later frames of the same slot overwrite earlier ones, as in the window.
    kept_ages[rows, slots[rows, taken]] = ages[rows, taken]
    kept[rows, slots[rows, taken]] = True
    return kept_ages, kept


def _gap(ages: Floats, chance: np.random.Generator) -> Booleans:
    """Return where [B, N] a gap of 0.2 to 0.7 s is, in one of five windows."""
    count = len(ages)
    begin = np.where(chance.random((count, 1)) < 0.2, chance.uniform(0.0, 1.6, (count, 1)), _FOREVER)
    return (ages > begin) & (ages < begin + chance.uniform(0.2, 0.7, (count, 1)))
