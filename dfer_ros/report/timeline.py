"""The timeline of one person: what was named, when expressions began and ended, seven probabilities, the affect."""

from __future__ import annotations

import base64

import numpy as np

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.recordings.episodes import Episode
from dfer_ros.report.markup import swatch, text
from dfer_ros.report.ribbon import ribbon
from dfer_ros.report.svg_paths import area_path, band_path, bar_path, dot_path, line_path, rule_path
from dfer_ros.report.ticks import time_ticks
from dfer_ros.report.time_bins import TimeAxis, TimeBins
from dfer_ros.text.wording import percent

GAP_VALUE = 255
"""Stands for no value among those that the page can read out."""
VALUE_LEVELS = 250
"""Steps between 0 and 1 of these values."""

_NAMED, _EPISODES, _SIGNED = 24, 16, 44
_PROBABILITY, _INTENSITY, _SPACE = 26, 32, 5
_MANY_EPISODES = 120
"""Beyond this the marks of the apexes are smaller while the timeline is not zoomed."""


class _Rows:
    """Lays rows out one below the other. Heights are CSS pixels; the drawing counts in halves of them."""

    def __init__(self) -> None:
        self.height = 0
        self.labels: list[str] = []
        self.drawing: list[str] = []

    def add(self, label: str, height: int) -> tuple[int, int]:
        """Add a row with its label; return its top and bottom in the units of the drawing."""
        top = self.height
        self.labels.append(f'<span style="top:{top}px;height:{height}px">{label}</span>')
        self.height += height + _SPACE
        return 2 * top, 2 * (top + height)


def timeline(bins: TimeBins) -> str:
    """Return the figure of a person's timeline."""
    rows, track = _Rows(), bins.person.track
    top, bottom = rows.add("named", _NAMED)
    rows.drawing.append(ribbon(bins, top, bottom - top))
    top, bottom = rows.add("onset to offset", _EPISODES)
    rows.drawing.append(_episodes(bins.person.episodes, bins.axis, (top + bottom) // 2))
    for index, expression in enumerate(EXPRESSIONS):
        top, bottom = rows.add(swatch(expression) + expression, _PROBABILITY)
        rows.drawing.append(_area(bins, track.probabilities[:, index], top, bottom, expression))
    top, bottom = rows.add("intensity", _INTENSITY)
    rows.drawing.append(_area(bins, track.intensity, top, bottom, "ink"))
    for name, values in (("valence", track.valence), ("arousal", track.arousal)):
        top, bottom = rows.add(f"{name}<small><span>+1</span><span>&minus;1</span></small>", _SIGNED)
        rows.drawing.append(_signed(bins, values, top, bottom))
    return _figure(bins, rows)


def _area(bins: TimeBins, values: Floats, top: int, bottom: int, colour: str) -> str:
    highest, mean = bins.highest(values), bins.mean(values)
    paths = [f'<path class="rule" d="M0 {bottom}H{bins.axis.count}"/>']
    if not np.array_equal(highest, mean, equal_nan=True):
        paths.append(f'<path class="high c-{colour}" d="{area_path(highest, bottom - top, bottom)}"/>')
    paths.append(f'<path class="mean c-{colour}" d="{area_path(mean, bottom - top, bottom)}"/>')
    return "".join(paths)


def _signed(bins: TimeBins, values: Floats, top: int, bottom: int) -> str:
    middle, half = (top + bottom) // 2, (bottom - top) // 2
    return (
        f'<path class="rule" d="M0 {middle}H{bins.axis.count}"/>'
        f'<path class="high c-ink" d="{band_path(bins.lowest(values), bins.highest(values), half, middle)}"/>'
        f'<path class="line c-ink" d="{line_path(bins.mean(values), half, middle)}"/>'
    )


def _episodes(episodes: tuple[Episode, ...], axis: TimeAxis, y: int) -> str:
    paths = []
    for expression in EXPRESSIONS:
        own = [episode for episode in episodes if episode.expression == expression]
        if own:
            spans, apexes = np.zeros(axis.count, dtype=bool), np.zeros(axis.count, dtype=bool)
            times = np.array([(episode.onset, episode.apex, episode.offset) for episode in own])
            for onset, apex, offset in axis.bins(times).tolist():
                spans[onset : offset + 1] = True
                apexes[apex] = True
            paths.append(f'<path class="span c-{expression}" d="{rule_path(spans, y)}"/>')
            paths.append(f'<path class="apex c-{expression}" d="{dot_path(apexes, y)}"/>')
    return "".join(paths)


def _figure(bins: TimeBins, rows: _Rows) -> str:
    person, axis = bins.person, bins.axis
    name = text(person.face_id)
    shares = ", ".join(f"{figures.state} {percent(figures.share)}" for figures in person.ranking) or "no expression"
    description = (
        f"Timeline of {name}: {shares}, unknown {percent(person.unknown.share)} of the time in view. "
        "The tables below give the figures."
    )
    gaps = bar_path(~bins.seen(), 0, 2 * rows.height)
    dense = " dense" if len(person.episodes) > _MANY_EPISODES else ""
    return (
        f'<figure class="timeline{dense}" data-seconds="{axis.seconds:.6g}" data-count="{axis.count}" '
        f'data-values="{_values(bins)}"><div class="rows" style="height:{rows.height}px">{"".join(rows.labels)}</div>'
        f'<div class="scroll" tabindex="0" role="group" aria-label="Timeline of {name}; arrow keys read values">'
        f'<div class="plot"><svg role="img" aria-label="{description}" preserveAspectRatio="none" '
        f'style="height:{rows.height}px" viewBox="0 0 {axis.count} {2 * rows.height}"><path class="gap" d="{gaps}"/>'
        f'{"".join(rows.drawing)}</svg>{time_ticks(axis)}<i class="cursor" hidden></i></div></div>'
        '<output class="readout"></output></figure>'
    )


def _values(bins: TimeBins) -> str:
    """Return what the page reads out: bytes by row and bin (7 probabilities, intensity, valence, arousal, state)."""
    track = bins.person.track
    shares = [bins.mean(values) for values in (*track.probabilities.T, track.intensity)]
    signed = [(bins.mean(values) + 1) / 2 for values in (track.valence, track.arousal)]
    rows = np.where(bins.seen(), np.rint(np.nan_to_num(np.stack(shares + signed)).clip(0, 1) * VALUE_LEVELS), GAP_VALUE)
    states = np.where(bins.seen(), bins.shares().argmax(axis=0), GAP_VALUE)
    return base64.b64encode(np.vstack([rows, states]).astype(np.uint8).tobytes()).decode()
