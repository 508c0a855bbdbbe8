"""The picture of prepared sets: how many of each class and split, and what the crops look like."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.faces import Image
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import SPLITS, PreparedSet
from dfer_ros.training.data.statistics import SplitStatistics, split_statistics, units

_COLOURS = dict(zip(SPLITS, ("#4477aa", "#ddaa33", "#bb5566")))
_ROWS = 4
"""Sample crops of each class."""
_LATE = 0.75
"""Where in a clip its sample crop is taken: near the apex of those that begin neutral."""
_GAP = 4
_EMPTY = 235
"""Grey of the places between crops, and of those without one."""


def plot_statistics(sets: list[PreparedSet], output: Path) -> None:
    """Write a PNG with a row for each set: counts by class and split, and a grid of crops of each class.

    Raises DataError where a crop cannot be read, TrainingError where the file cannot be written.
    """
    figure = Figure(figsize=(15, 4.6 * len(sets)), layout=ConstrainedLayoutEngine(h_pad=0.15))
    FigureCanvasAgg(figure)
    for axes, prepared in zip(figure.subplots(len(sets), 2, squeeze=False, width_ratios=(1.25, 1)), sets):
        _draw_counts(axes[0], prepared.name, split_statistics(prepared))
        _draw_crops(axes[1], prepared)
    with whole_path(output) as part:
        figure.savefig(part, format="png", dpi=90)


def _draw_counts(axes: Axes, name: str, statistics: list[SplitStatistics]) -> None:
    width = 0.84 / len(statistics)
    for place, one in enumerate(statistics):
        middles = np.arange(len(LABELS)) + (place - (len(statistics) - 1) / 2) * width
        total = sum(one.classes)
        bars = axes.bar(
            middles, one.classes, width * 0.94, color=_COLOURS[one.split], label=f"{one.split} ({total:,} in all)"
        )
        axes.bar_label(bars, labels=[f"{count:,}" for count in one.classes], fontsize=8, padding=1)
    clips = any(one.clips for one in statistics)
    axes.set_title(f"{name}: {'clips' if clips else 'stills'} of each class", fontsize=13)
    axes.set_ylabel("clips" if clips else "stills")
    axes.set_xticks(range(len(LABELS)), LABELS)
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _draw_crops(axes: Axes, prepared: PreparedSet) -> None:
    columns = [_column(prepared, label) for label in range(len(LABELS))]
    axes.imshow(cv2.cvtColor(np.concatenate(columns, axis=1), cv2.COLOR_BGR2RGB))
    step = ALIGNED_SIZE + _GAP
    axes.set_xticks([(label + 0.5) * step for label in range(len(LABELS))], LABELS)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"{_ROWS} crops of each class, evenly from the whole set")


def _column(prepared: PreparedSet, label: int) -> Image:
    """Return crops of one class below each other [_ROWS * (128 + gap), 128 + gap, 3]."""
    of_class = [one for one in units(prepared.samples) if prepared.samples[one[0]].label == label]
    places = np.linspace(0, len(of_class) - 1, min(_ROWS, len(of_class))).astype(int).tolist()
    step = ALIGNED_SIZE + _GAP
    column = np.full((_ROWS * step, step, 3), _EMPTY, np.uint8)
    for row, place in enumerate(places):
        frames = of_class[place]
        crop = prepared.crop(frames[int(_LATE * (len(frames) - 1))])
        column[row * step : row * step + ALIGNED_SIZE, :ALIGNED_SIZE] = crop
    return column
