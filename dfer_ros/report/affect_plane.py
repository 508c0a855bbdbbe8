"""Valence and arousal as a path through the plane (the circumplex of affect, Russell 1980)."""

from __future__ import annotations

import numpy as np

from dfer_ros.core.labels import EXPRESSIONS, NEUTRAL, VALENCE_AROUSAL
from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.report.markup import text
from dfer_ros.report.svg_paths import stretches
from dfer_ros.report.time_bins import TimeBins, create_axis
from dfer_ros.text.wording import number

_SCALE = 150
_MOST_POINTS = 360
_SHADES = 8
_CELL = 0.1
_LABEL_WIDTH = 55


def affect_plane(bins: TimeBins) -> str:
    """Return the figure: squares by the time spent in them, the path from pale to strong over time, the expressions."""
    track = bins.person.track
    valence, arousal = float(np.median(track.valence)), float(np.median(track.arousal))
    description = (
        f"Valence and arousal of {text(bins.person.face_id)}: median valence {number(valence)}, median arousal "
        f"{number(arousal)}; valence from {number(float(track.valence.min()))} to "
        f"{number(float(track.valence.max()))}, arousal from {number(float(track.arousal.min()))} to "
        f"{number(float(track.arousal.max()))}."
    )
    side = _SCALE + 22
    return (
        f'<svg class="plane" role="img" aria-label="{description}" viewBox="{-side} {-side} {2 * side} {2 * side}">'
        f'<circle class="frame" r="{_SCALE}"/><path class="frame" d="M{-_SCALE} 0H{_SCALE}M0 {-_SCALE}V{_SCALE}"/>'
        f"{_time_spent(bins)}{_path(bins)}{_expressions()}"
        f'<text x="{_SCALE}" y="-6" text-anchor="end">pleasant</text><text x="{-_SCALE}" y="-6">unpleasant</text>'
        f'<text y="{-_SCALE - 8}" text-anchor="middle">excited</text>'
        f'<text y="{_SCALE + 17}" text-anchor="middle">calm</text></svg>'
    )


def _expressions() -> str:
    """Return where each expression lies; a label stands on the outer side, where no other expression is in its way."""
    places = VALENCE_AROUSAL * (_SCALE, -_SCALE)
    marks = []
    for index, expression in enumerate(EXPRESSIONS):
        x, y = places[index].tolist()
        aside, above = (places - places[index]).T
        left = x < 0 and not ((aside < 0) & (aside > -_LABEL_WIDTH) & (abs(above) < 10)).any()
        anchor = f'x="{x - 8:.0f}" text-anchor="end"' if left else f'x="{x + 8:.0f}"'
        label = "" if index == NEUTRAL else f'<text class="halo" {anchor} y="{y + 4:.0f}">{expression}</text>'
        marks.append(f'<circle class="mean c-{expression}" cx="{x:.0f}" cy="{y:.0f}" r="4.5"/>{label}')
    return "".join(marks)


def _time_spent(bins: TimeBins) -> str:
    track, cells = bins.person.track, round(2 / _CELL)
    edges = np.linspace(-1, 1, cells + 1)
    columns, rows = (np.clip(np.digitize(values, edges) - 1, 0, cells - 1) for values in (track.valence, track.arousal))
    spent = np.zeros((cells, cells))
    np.add.at(spent, (columns, rows), bins.person.durations)
    most, side = max(float(spent.max()), 1e-9), _CELL * _SCALE
    squares = []
    for column, row in np.argwhere(spent > most / 100).tolist():
        x, y = column * side - _SCALE, _SCALE - (row + 1) * side
        opacity = 0.04 + 0.3 * (spent[column, row] / most) ** 0.5
        squares.append(
            f'<path class="mean c-accent" opacity="{opacity:.2f}" d="M{x:g} {y:g}h{side:g}v{side:g}h{-side:g}z"/>'
        )
    return "".join(squares)


def _path(bins: TimeBins) -> str:
    """Return the path in pieces that grow stronger with time, and its two ends."""
    axis = create_axis(bins.axis.begin, bins.axis.end, bins.axis.interval, min(bins.axis.count, _MOST_POINTS))
    coarse = TimeBins(bins.person, axis)
    points = np.stack([coarse.mean(bins.person.track.valence), -coarse.mean(bins.person.track.arousal)]) * _SCALE
    pieces: list[list[str]] = [[] for _ in range(_SHADES)]
    for start, stop in stretches(coarse.seen()):
        for shade in range(_SHADES):
            first = max(start, shade * axis.count // _SHADES)
            last = min(stop, (shade + 1) * axis.count // _SHADES + 1)
            if last - first > 1:
                pieces[shade].append("M" + "L".join(_point(points[:, index]) for index in range(first, last)))
    seen = np.flatnonzero(coarse.seen())
    strongest = 0.55 if axis.count == _MOST_POINTS else 1.0
    lines = "".join(
        f'<path class="line c-accent" opacity="{strongest * (0.25 + 0.75 * shade / (_SHADES - 1)):.2f}" '
        f'd="{"".join(piece)}"/>'
        for shade, piece in enumerate(pieces)
        if piece
    )
    return f"{lines}{_end(points[:, seen[0]], 'start')}{_end(points[:, seen[-1]], 'end')}"


def _end(point: Floats, which: str) -> str:
    x, y = point.tolist()
    return f'<circle class="{which}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{which}</title></circle>'


def _point(point: Floats) -> str:
    x, y = point.tolist()
    return f"{x:.1f} {y:.1f}"
