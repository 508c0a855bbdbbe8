"""How values are spread, as bars with a scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dfer_ros.core.emotion_track import Floats
from dfer_ros.report.ticks import round_steps

_BARS = 40
_HEIGHT = 100
_TAIL = 99.5
"""Percentile up to which the scale reaches; the last bar holds what lies beyond."""


def histogram(values: Floats, unit: str, description: str, marks: Mapping[str, float]) -> str:
    """Return the figure of values [n], n >= 1.

    unit: of the values, below the scale. marks: named values that get a line, such as percentiles.
    """
    bottom = min(0.0, float(np.percentile(values, 100 - _TAIL)))
    top = max(float(np.percentile(values, _TAIL)) * 1.1, bottom + 1e-6)
    steps = round_steps(top - bottom, 6)
    counts, _ = np.histogram(np.clip(values, bottom, top), bins=_BARS, range=(bottom, top))
    heights = np.where(counts > 0, np.maximum(np.rint(counts / counts.max() * _HEIGHT), 1), 0).astype(int)
    bars = "".join(f"M{x}.06 {_HEIGHT}v{-height}h.88v{height}z" for x, height in enumerate(heights.tolist()) if height)
    scale = "".join(
        f'<span class="tick" style="left:{100 * step / (top - bottom):.1f}%">{bottom + step:.4g}</span>'
        for step in steps
    )
    lines = "".join(
        f'<span class="mark" style="left:{100 * (min(value, top) - bottom) / (top - bottom):.1f}%"><b>{name}</b></span>'
        for name, value in marks.items()
    )
    return (
        f'<figure class="histogram"><div class="plot"><svg role="img" aria-label="{description}" '
        f'preserveAspectRatio="none" viewBox="0 0 {_BARS} {_HEIGHT}"><path class="mean c-accent" d="{bars}"/></svg>'
        f'{lines}</div><div class="ticks" aria-hidden="true">{scale}</div><figcaption>{unit}</figcaption></figure>'
    )
