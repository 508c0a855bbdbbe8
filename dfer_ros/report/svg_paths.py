"""Values over bins as the `d` of SVG paths, short: whole numbers, relative, equal steps put together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dfer_ros.recordings.emotion_track import Floats

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.int64]


def area_path(values: Floats, height: int, base: int) -> str:
    """Return the area between values [bins], 0..1, not a number in gaps, and their zero.

    height: units of the value 1. base: y of the value 0; y goes down.
    """
    path = []
    for start, stop in stretches(values > 0.5 / height):
        levels = _levels(values[start:stop], height, base)
        path.append(f"M{start} {base}V{levels[0]}l{_steps(levels)}h1V{base}z")
    return "".join(path)


def line_path(values: Floats, height: int, base: int) -> str:
    """Return the line of values [bins], -1..1 or 0..1; see area_path."""
    path = []
    for start, stop in stretches(~np.isnan(values)):
        levels = _levels(values[start:stop], height, base)
        path.append(f"M{start} {levels[0]}l{_steps(levels)}h1")
    return "".join(path)


def band_path(low: Floats, high: Floats, height: int, base: int) -> str:
    """Return the area between two lines [bins]; see line_path."""
    path = []
    for start, stop in stretches(~np.isnan(low)):
        top, bottom = _levels(high[start:stop], height, base), _levels(low[start:stop], height, base)
        path.append(f"M{start} {top[0]}l{_steps(top)}h1V{bottom[-1]}h-1l{_steps(bottom[::-1], -1)}z")
    return "".join(path)


def bar_path(mask: Mask, top: int, height: int) -> str:
    """Return a bar of a height from y `top` down over each stretch of a mask [bins]."""
    return "".join(f"M{a} {top}h{b - a}v{height}h{a - b}z" for a, b in stretches(mask))


def step_path(tops: Levels, heights: Levels) -> str:
    """Return bars, one in each bin, from y `top` down over `height`, both [bins] in whole units; none where it is 0."""
    path = []
    changes = (np.diff(tops) != 0) | (np.diff(heights) != 0)
    starts = np.append(0, np.flatnonzero(changes) + 1)
    widths = np.diff(np.append(starts, len(tops)))
    for x, top, width, height in zip(*(v.tolist() for v in (starts, tops[starts], widths, heights[starts]))):
        if height:
            path.append(f"M{x} {top}h{width}v{height}h{-width}z")
    return "".join(path)


def rule_path(mask: Mask, y: int) -> str:
    """Return a level line at y over each stretch of a mask [bins]."""
    return "".join(f"M{a} {y}H{b}" for a, b in stretches(mask))


def dot_path(mask: Mask, y: int) -> str:
    """Return a line without length at y in the middle of each bin of a mask [bins]: a dot, with round line caps."""
    return "".join(f"M{x}.5 {y}h0" for x in np.flatnonzero(mask).tolist())


def stretches(mask: Mask) -> list[tuple[int, int]]:
    """Return the first bin of each stretch of True in a mask [bins], and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def _levels(values: Floats, height: int, base: int) -> Levels:
    return base - np.rint(values * height).astype(np.int64)


def _steps(levels: Levels, direction: int = 1) -> str:
    """Return the pairs after an `l` that walk along levels [n], a bin at a time; equal steps become one."""
    steps = np.diff(levels)
    if not len(steps):
        return "0 0"
    starts = np.append(0, np.flatnonzero(np.diff(steps)) + 1)
    lengths = np.diff(np.append(starts, len(steps)))
    pairs = zip((lengths * direction).tolist(), (lengths * steps[starts]).tolist())
    return " ".join(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in pairs)
