"""The picture of the comparison: what is right on clips over what a second of video costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter
from sklearn.isotonic import isotonic_regression

from dfer_ros.training.data.manifest import ALL_VIDEOS, CK_PLUS_SOURCE
from dfer_ros.training.experiments.comparison.results import ComparedModel

_LEAST_GAP = 0.055
"""Between two labels, as share of the height of a panel."""
_NEAR = 2.0
"""Models that cost less than this times as much as the cheapest of them share a column of labels."""


class _Point(NamedTuple):
    """cost: billion multiply-adds. uar: percent."""

    name: str
    colour: str
    cost: float
    uar: float


def plot_models(path: Path, models: Sequence[ComparedModel], frame_rate: float) -> None:
    """Draw the UAR of every model over its multiply-adds, one panel for videos and one for sequences."""
    titles = {ALL_VIDEOS: "Videos", CK_PLUS_SOURCE: "CK+ sequences, at their end"}
    there = [group for group in titles if any(model.row(group) for model in models if model.counted)]
    figure = Figure(figsize=(7.2 * max(len(there), 1), 5.4), dpi=110, layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, max(len(there), 1)))
    for panel, group in zip(panels, there):
        _draw_group(panel, group, models)
        panel.set(
            title=f"{titles[group]}, each source left out in turn",
            xlabel=f"multiply-adds for one face and second of video at {frame_rate:g} Hz (billion)",
            ylabel="UAR (%)",
        )
    figure.savefig(path)


def _draw_group(axes: Axes, group: str, models: Sequence[ComparedModel]) -> None:
    points = [
        _Point(model.name, f"C{number}", model.multiply_adds / 1e9, row.uar * 100)
        for number, model in enumerate(models)
        if (row := model.row(group)) and model.counted
    ]
    costs, uars = [point.cost for point in points], [point.uar for point in points]
    low, high = max(min(uars) - 6, 0), min(max(uars) + 6, 104)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter("")
    # Room on the right for the names of the dearest.
    axes.set(xlim=(min(costs) / 1.6, max(costs) * 12), ylim=(low, high))
    axes.grid(alpha=0.3)
    for column in _columns(points):
        places = _spread([point.uar for point in column], _LEAST_GAP * (high - low), low, high)
        left = max(point.cost for point in column) * 1.4
        for point, place in zip(column, places):
            axes.scatter(point.cost, point.uar, s=45, color=point.colour, zorder=3)
            line = {"arrowstyle": "-", "color": point.colour, "linewidth": 0.8, "relpos": (0, 0.5)}
            words = f"{point.name}  {point.uar:.1f}"
            axes.annotate(words, (point.cost, point.uar), (left, place), fontsize=9, va="center", arrowprops=line)


def _columns(points: Sequence[_Point]) -> list[list[_Point]]:
    """Return the points in groups of about the same cost, whose labels share a column; lowest UAR first."""
    columns: list[list[_Point]] = []
    for point in sorted(points, key=lambda one: one.cost):
        if columns and point.cost < _NEAR * columns[-1][0].cost:
            columns[-1].append(point)
        else:
            columns.append([point])
    return [sorted(column, key=lambda one: one.uar) for column in columns]


def _spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return the places nearest to rising values that are at least a gap apart, between two bounds where that fits."""
    steps = gap * np.arange(len(values))
    places = isotonic_regression(np.array(values) - steps, y_min=low + gap, y_max=high - gap - steps[-1])
    return (places + steps).tolist()
