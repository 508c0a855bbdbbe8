"""Round marks for axes, and which of them there is room for at a width."""

from __future__ import annotations

import math

from dfer_ros.report.time_bins import TimeAxis
from dfer_ros.text.wording import clock

WIDTHS = (0, 230, 400, 800, 1600, 3200, 6400, 12800)
"""Widths of a time axis in CSS pixels, the smallest of each range in which the same marks are shown."""

_LEAST_PIXELS = 75
_LABEL_PIXELS, _LETTER_PIXELS = 6, 8
"""Width of a label without letters, and of each letter, as the widest of the usual fonts have them."""
_NARROWEST = 160
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY = 86400


def time_ticks(axis: TimeAxis) -> str:
    """Return the marks of a time axis as HTML; the class w<i> tells that one is shown from the i-th of WIDTHS on."""
    levels: dict[float, list[int]] = {}
    for level, width in enumerate(WIDTHS):
        step = _step(axis.seconds, max(width, _NARROWEST))
        for index in range(int(axis.seconds / step + 1e-6) + 1):
            seconds = round(index * step, 3)
            if has_room(_label(seconds), seconds / axis.seconds, max(width, _NARROWEST)):
                levels.setdefault(seconds, []).append(level)
    ticks = []
    for seconds, shown in sorted(levels.items()):
        classes = " ".join(f"w{level}" for level in shown)
        place = f"left:{100 * seconds / axis.seconds:.3f}%"
        ticks.append(f'<span class="tick {classes}" style="{place}">{_label(seconds)}</span>')
    return f'<div class="ticks" aria-hidden="true">{"".join(ticks)}</div>'


def tick_style() -> str:
    """Return the CSS that shows the marks for which a time axis is wide enough."""
    rules = []
    for level, width in enumerate(WIDTHS):
        below = f" and (max-width:{WIDTHS[level + 1] - 0.02}px)" if level + 1 < len(WIDTHS) else ""
        rules.append(f"@container axis (min-width:{width}px){below}{{.tick:not(.w{level}){{display:none}}}}")
    return "\n".join(rules)


def round_steps(top: float, most: int) -> list[float]:
    """Return at most about `most` round numbers from 0 to top, both ends included where they are round."""
    raw = top / max(most, 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= raw * 0.999)
    return [index * step for index in range(int(top / step + 1e-6) + 1)]


def has_room(label: str, share: float, width: float) -> bool:
    """Return whether a label is whole to the right of its mark, at a share 0..1 of an axis `width` CSS pixels wide."""
    return (1 - share) * width >= _label_width(label)


def _label_width(label: str) -> int:
    return _LABEL_PIXELS + _LETTER_PIXELS * len(label)


def _label(seconds: float) -> str:
    return clock(seconds, 0 if float(seconds).is_integer() else 1)


def _step(seconds: float, width: float) -> float:
    least = seconds * max(_LEAST_PIXELS, _label_width(_label(math.floor(seconds)))) / width
    return next((step for step in _STEPS if step >= least), math.ceil(least / _DAY) * _DAY)
