"""The section on frames: how long answers took, and which frames are missing."""

from __future__ import annotations

import numpy as np

from dfer_ros.report.frame_timing import FrameTiming
from dfer_ros.report.histogram import histogram
from dfer_ros.report.markup import bar, table
from dfer_ros.report.wording import length, percent, plural, short_length


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
