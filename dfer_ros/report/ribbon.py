"""What was named over time as a ribbon of colours."""

from __future__ import annotations

import numpy as np

from dfer_ros.recordings.emotion_track import NEUTRAL_STATE, STATES, UNKNOWN_STATE
from dfer_ros.report.svg_paths import Levels, bar_path, rule_path, step_path
from dfer_ros.report.time_bins import TimeBins

_LEAST_HEIGHT = 4
"""Of a state that was named in a bin at all, in units of the drawing."""


def ribbon(bins: TimeBins, top: int, height: int) -> str:
    """Return SVG paths: expressions as bars from the top, neutral as a low bar, unknown as a dashed line, gaps empty.

    Several that were named in one bin share its height by time, but each has a least height: none gets lost.
    """
    shares = bins.shares()
    low = height // 3
    neutral = np.rint(shares[NEUTRAL_STATE] * low).astype(np.int64)
    expressions = [state for state in range(UNKNOWN_STATE) if state != NEUTRAL_STATE]
    heights = _heights(shares[expressions], height)
    tops = top + np.cumsum(heights, axis=0) - heights
    only_unknown = shares[UNKNOWN_STATE] == 1
    paths = [
        f'<path class="mean c-neutral" d="{step_path(top + height - neutral, neutral)}"/>',
        f'<path class="dashed c-unknown" d="{rule_path(only_unknown, top + height - low // 2)}"/>',
        *(
            f'<path class="sharp c-{STATES[state]}" d="{step_path(tops[row], heights[row])}"/>'
            for row, state in enumerate(expressions)
            if heights[row].any()
        ),
    ]
    return "".join(paths)


def _heights(shares: np.ndarray[tuple[int, int], np.dtype[np.float64]], height: int) -> Levels:
    """Return the heights [S, bins] for shares [S, bins]; what the least heights take is taken from the largest."""
    heights: Levels = np.where(shares > 0, np.maximum(np.rint(shares * height), _LEAST_HEIGHT), 0).astype(np.int64)
    columns = np.arange(shares.shape[1])
    heights[heights.argmax(axis=0), columns] -= np.maximum(heights.sum(axis=0) - height, 0)
    return heights


def ribbon_figure(bins: TimeBins, height: int, label: str) -> str:
    """Return a ribbon as a figure of its own, height pixels high, with a description for screen readers."""
    gaps = bar_path(~bins.seen(), 0, 2 * height)
    return (
        f'<svg class="ribbon" role="img" aria-label="{label}" style="height:{height}px" preserveAspectRatio="none" '
        f'viewBox="0 0 {bins.axis.count} {2 * height}"><path class="gap" d="{gaps}"/>'
        f"{ribbon(bins, 0, 2 * height)}</svg>"
    )
