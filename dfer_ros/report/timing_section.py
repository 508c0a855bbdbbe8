"""The section on frames: how long answers took, and which frames are missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.report.frame_timing import FrameTiming
from dfer_ros.report.markup import bar, table
from dfer_ros.report.ticks import has_room, round_steps
from dfer_ros.text.wording import length, percent, plural, short_length, time_unit


def timing_section(timing: FrameTiming) -> str:
    """Return the section."""
    panels = [_latency_panel(timing), _interval_panel(timing), _missing_panel(timing)]
    return (
        '<section id="timing"><h2>Latency and dropped frames</h2>'
        f'<div class="columns three">{"".join(panels)}</div></section>'
    )


def _latency_panel(timing: FrameTiming) -> str:
    head = '<div class="panel"><h3>Latency <small>from the stamp of the image to the recorder</small></h3>'
    if timing.other_clock:
        words = "The stamps and the recorder follow different clocks: no latency can be told."
        return f'{head}<p class="none">{words}</p></div>'
    if timing.latencies is None:
        return f'{head}<p class="none">This recording does not tell when the answers came; a bag does.</p></div>'
    percentiles = dict(zip(("p50", "p95", "p99"), np.percentile(timing.latencies, (50, 95, 99)).tolist()))
    p50, p95, p99, slowest = map(short_length, (*percentiles.values(), float(timing.latencies.max())))
    words = f"Median {p50}, 95 % within {p95}, 99 % within {p99}, the slowest {slowest}."
    marks = {name: percentiles[name] for name in ("p50", "p95")}
    figure = histogram(timing.latencies, "latency", f"Histogram of the latency. {words}", marks)
    return f"{head}{figure}<p>{words}</p></div>"


def _interval_panel(timing: FrameTiming) -> str:
    head = '<div class="panel"><h3>Time between frames <small>by their stamps</small></h3>'
    if not len(timing.intervals):
        return f'{head}<p class="none">There is only one frame.</p></div>'
    p95, most = float(np.percentile(timing.intervals, 95)), float(timing.intervals.max())
    median, common, longest = map(short_length, (timing.interval, p95, most))
    words = f"Median {median}, 95 % within {common}, the longest {longest}."
    figure = histogram(timing.intervals, "time between frames", f"Histogram of the intervals. {words}", {})
    return f"{head}{figure}<p>{words}</p></div>"


def _missing_panel(timing: FrameTiming) -> str:
    head = '<div class="panel"><h3>Missing frames <small>how many in a row</small></h3>'
    most = max(timing.missing_runs.values(), default=0)
    words = (
        f"{plural(timing.missing, 'frame')} missing, {percent(timing.missing_share)} of those due every "
        f"{short_length(timing.interval)}."
    )
    if len(timing.pauses):
        words += f" Besides, {plural(len(timing.pauses), 'pause')} of {length(float(timing.pauses.sum()))} together."
    incomplete = timing.latencies is None and not timing.other_clock
    if incomplete and (timing.missing or len(timing.pauses)):
        words += " Frames that showed nobody are counted here as well: a JSONL file has no line for them."
    rows = [
        (run, bar(count / most if most else 0, f"{count:,}", "accent")) for run, count in timing.missing_runs.items()
    ]
    return f"{head}{table('Runs of missing frames', ('in a row', 'times'), rows, 'figures')}<p>{words}</p></div>"


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
