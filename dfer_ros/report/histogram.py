"""How times are spread, as bars with a scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.report.ticks import has_room, round_steps
from dfer_ros.report.wording import time_unit

_BARS = 40
_HEIGHT = 100
_TAIL = 99.5
"""Percentile up to which the scale reaches; the last bar holds what lies beyond."""
_NARROWEST = 230
"""Width in CSS pixels for which the labels of the scale are laid out."""


def histogram(seconds: Floats, name: str, description: str, marks: Mapping[str, float]) -> str:
    """Return the figure of times [n] in seconds, n >= 1, with a scale in the unit that fits them.

    name: of the times, below the scale. marks: named times (seconds) that get a line, such as percentiles.
    """
    unit, size = time_unit(float(np.percentile(seconds, _TAIL)))
    values, marks = seconds / size, {mark: value / size for mark, value in marks.items()}
    bottom = min(0.0, float(np.percentile(values, 100 - _TAIL)))
    top = max(float(np.percentile(values, _TAIL)) * 1.1, bottom + 1e-6)
    steps = round_steps(top - bottom, 6)
    counts, _ = np.histogram(np.clip(values, bottom, top), bins=_BARS, range=(bottom, top))
    heights = np.where(counts > 0, np.maximum(np.rint(counts / counts.max() * _HEIGHT), 1), 0).astype(int)
    bars = "".join(f"M{x}.06 {_HEIGHT}v{-height}h.88v{height}z" for x, height in enumerate(heights.tolist()) if height)
    scale = "".join(_tick(f"{bottom + step:.4g}", step / (top - bottom)) for step in steps)
    lines = "".join(
        f'<span class="mark" style="left:{100 * (min(value, top) - bottom) / (top - bottom):.1f}%"><b>{mark}</b></span>'
        for mark, value in marks.items()
    )
    return (
        f'<figure class="histogram"><div class="plot"><svg role="img" aria-label="{description}" '
        f'preserveAspectRatio="none" viewBox="0 0 {_BARS} {_HEIGHT}"><path class="mean c-accent" d="{bars}"/></svg>'
        f'{lines}</div><div class="ticks" aria-hidden="true">{scale}</div><figcaption>{name}, {unit}</figcaption>'
        "</figure>"
    )


def _tick(label: str, share: float) -> str:
    shown = label if has_room(label, share, _NARROWEST) else ""
    return f'<span class="tick" style="left:{100 * share:.1f}%">{shown}</span>'
