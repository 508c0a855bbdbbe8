"""The picture of a comparison: labels of both sides under each other, agreement and shifts, all over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dfer_ros.comparison.comparison import Comparison
from dfer_ros.comparison.series import comparison_series
from dfer_ros.core.atomic_file import write_figure
from dfer_ros.core.labels import UNKNOWN
from dfer_ros.core.palette import ON_LIGHT
from dfer_ros.recordings.emotion_track import STATES, EmotionTrack, RecordedEmotions
from dfer_ros.recordings.label_runs import label_runs

_MOST_PEOPLE = 6
_NOBODY = "(nobody)"
_BAR = 0.8
"""Height of a bar of labels, in rows."""
_LINES = {"valence": ("#1B7837", "-"), "arousal": ("#C2410C", "--"), "confidence": ("#4B4B4B", ":")}
"""Colour and style: none of the colours of expressions."""


def plot_comparison(path: Path, comparison: Comparison) -> None:
    """Draw a comparison into a PNG file. Raises SourceError where it cannot be written."""
    everybody = _people(comparison)
    people = everybody[:_MOST_PEOPLE]
    rows = 2 * len(people)
    figure = Figure(figsize=(11, 4.6 + 0.32 * rows), dpi=110, layout="constrained")
    heights = (0.32 * rows + 0.5, 1.5, 1.5)
    labels, agreement, shifts = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": heights})
    begin = min(comparison.old_answers.recording.begin, comparison.new_answers.recording.begin)
    _draw_labels(labels, comparison, people, begin)
    _draw_series(agreement, shifts, comparison, begin)
    shifts.set_xlabel("time since the first face (s)")
    seen = f", {len(people)} of {len(everybody)} people" if len(people) < len(everybody) else ""
    old, new = comparison.old, comparison.new
    figure.suptitle(
        f"{_short(old.name)} (old) and {_short(new.name)} (new){seen}\n"
        f"labels agree in {100 * comparison.agreement:.1f} %; flips per minute {old.flips_per_minute:.1f} to "
        f"{new.flips_per_minute:.1f}; faces lost {100 * comparison.lost:.1f} %, found {100 * comparison.found:.1f} %",
        fontsize=11,
    )
    write_figure(figure, path)


def _people(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Return old id and new ids of each person, those first that both saw longest; empty where one saw nobody."""
    people: dict[str, list[str]] = {}
    for pair in comparison.people:
        people.setdefault(pair.old_id, []).append(pair.new_id)
    found = {pair.new_id for pair in comparison.people}
    lost = [track.face_id for track in comparison.old_answers.recording.tracks if track.face_id not in people]
    new = [track.face_id for track in comparison.new_answers.recording.tracks if track.face_id not in found]
    return [*people.items(), *((face_id, []) for face_id in lost), *(("", [face_id]) for face_id in new)]


def _draw_labels(axes: Axes, comparison: Comparison, people: list[tuple[str, list[str]]], begin: float) -> None:
    old, new = comparison.old_answers.recording, comparison.new_answers.recording
    names = []
    for number, (old_id, new_ids) in enumerate(people):
        for row, (recording, ids) in enumerate(((old, [old_id]), (new, new_ids)), 2 * number):
            for track in recording.tracks:
                if track.face_id in ids:
                    _draw_bar(axes, recording, track, row, begin)
        names += [f"old {old_id or _NOBODY}", f"new {', '.join(new_ids[:3]) or _NOBODY}{' ...' * (len(new_ids) > 3)}"]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    for number in range(1, len(people)):
        axes.axhline(2 * number - 0.5, color="0.8", linewidth=0.8)
    handles = [Patch(label=state, **_style(state)) for state in STATES]
    axes.legend(handles=handles, ncols=len(STATES), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)


def _draw_bar(axes: Axes, recording: RecordedEmotions, track: EmotionTrack, row: int, begin: float) -> None:
    runs = label_runs(track, track.states, recording.gap_seconds)
    ends = track.stamps + recording.durations(track)
    starts = track.stamps[runs.starts] - begin
    spans = np.column_stack([starts, ends[runs.ends - 1] - begin - starts])
    for state in np.unique(runs.values):
        axes.broken_barh(
            spans[runs.values == state].tolist(), (row - _BAR / 2, _BAR), linewidth=0, **_style(STATES[state])
        )


def _style(state: str) -> dict[str, Any]:
    # Unknown is grey as neutral is.
    hatch = {"hatch": "////", "edgecolor": "white"} if state == UNKNOWN else {}
    return {"facecolor": ON_LIGHT[state], **hatch}


def _draw_series(agreement: Axes, shifts: Axes, comparison: Comparison, begin: float) -> None:
    series = comparison_series(comparison)
    middles = series.starts + series.width / 2 - begin
    agreement.bar(middles, 100 * series.agreement, width=series.width, color="#5B88C7")
    # What is missing of the bars is where the labels differ.
    agreement.bar(
        middles, 100 * (1 - series.agreement), bottom=100 * series.agreement, width=series.width, color="#F0B7A6"
    )
    agreement.set_ylim(0, 100)
    agreement.set_ylabel("label\nagreement (%)")
    for name, (colour, style) in _LINES.items():
        values = getattr(series, name)
        marker = "o" if np.isfinite(values).sum() < 3 else ""
        shifts.plot(middles, values, style, color=colour, label=name, linewidth=1.6, marker=marker)
    largest = max(float(np.nanmax(np.abs(getattr(series, name)))) for name in _LINES)
    shifts.set_ylim(-1.15 * max(largest, 0.05), 1.15 * max(largest, 0.05))
    shifts.axhline(0, color="0.7", linewidth=0.8)
    shifts.set_ylabel(f"new minus old\n(means of {series.width:g} s)")
    shifts.legend(ncols=len(_LINES), loc="lower right", bbox_to_anchor=(1.0, 0.96), frameon=False)
    for axes in (agreement, shifts):
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"...{name[-37:]}"
