"""The pictures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dfer_ros.core.labels import LABELS
from dfer_ros.training.evaluation.calibration import CalibrationMetrics
from dfer_ros.training.evaluation.metrics import ClassificationMetrics
from dfer_ros.training.evaluation.time_use import TimeUse

_DPI = 110
_PERCENT = 100.0


def plot_confusion(path: Path, metrics: ClassificationMetrics, title: str) -> None:
    """Draw the confusion matrix: colours by row share, counts in the cells."""
    counts = np.array(metrics.confusion)
    shares = counts / np.maximum(np.array(metrics.support), 1)[:, None]
    figure = Figure(figsize=(6.4, 5.6), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares * _PERCENT, cmap="Blues", vmin=0, vmax=_PERCENT)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if shares[row, column] > 0.55 else "black" if counts[row, column] else "silver"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(LABELS)), LABELS, rotation=40, ha="right")
    axes.set_yticks(range(len(LABELS)), LABELS)
    axes.set(xlabel="answer", ylabel="label", title=title)
    figure.colorbar(image, ax=axes, label="% of the row", shrink=0.85)
    figure.savefig(path)


def plot_reliability(path: Path, calibration: CalibrationMetrics, title: str) -> None:
    """Draw the accuracy of each bin of confidence with its count above, and the diagonal of honest answers."""
    figure = Figure(figsize=(6.4, 5.2), dpi=_DPI, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 3.2))
    edges = [one.lower for one in calibration.bins]
    width = calibration.bins[0].upper - calibration.bins[0].lower
    style = {"width": width, "align": "edge", "edgecolor": "white"}
    upper.bar(edges, [one.count for one in calibration.bins], color="#9aa7b5", **style)
    upper.set(
        ylabel="answers",
        title=f"{title}: ECE {calibration.ece:.3f}",
        ylim=(0, 1.3 * max(one.count for one in calibration.bins)),
    )
    for one in calibration.bins:
        upper.text((one.lower + one.upper) / 2, one.count, str(one.count), ha="center", va="bottom", fontsize=7)
    lower.bar(edges, [one.accuracy for one in calibration.bins], color="#3b75af", label="accuracy", **style)
    confidences = [one.confidence for one in calibration.bins]
    lower.plot(confidences, confidences, "o", color="#d1495b", markersize=4, label="mean confidence")
    lower.plot([0, 1], [0, 1], "--", color="black", linewidth=1, label="perfectly calibrated")
    lower.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    lower.legend(loc="upper left", frameon=False, fontsize=8)
    figure.savefig(path)


def plot_selective_risk(path: Path, curves: Mapping[str, CalibrationMetrics], title: str) -> None:
    """Draw the errors among the surest answers over how many of all are given."""
    figure, axes = _single()
    for name, calibration in curves.items():
        coverage, risk = np.array(calibration.coverage), np.array(calibration.risk)
        axes.plot(coverage * _PERCENT, risk * _PERCENT, marker=".", label=name)
    axes.axvline(80, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="coverage: answers given, surest first (%)", ylabel="wrong among them (%)", title=title)
    axes.set(xlim=(0, 102), ylim=(0, None))
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


def plot_resolutions(
    path: Path, curves: Mapping[str, Mapping[int, ClassificationMetrics]], shipped_size: int, title: str
) -> None:
    """Draw accuracy and UAR over the encoder's input size."""
    figure, axes = _single()
    for number, (name, by_size) in enumerate(curves.items()):
        sizes, colour = list(by_size), f"C{number}"
        accuracies = [one.accuracy * _PERCENT for one in by_size.values()]
        axes.plot(sizes, accuracies, marker="o", color=colour, label=f"{name} WAR")
        uars = [one.uar * _PERCENT for one in by_size.values()]
        axes.plot(sizes, uars, marker="s", linestyle="--", color=colour, label=f"{name} UAR", markersize=4)
        axes.set_xticks(sizes)
    axes.axvline(shipped_size, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="input size (pixels); dotted: as shipped", ylabel="%", title=title)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    figure.savefig(path)


def plot_time_use(path: Path, time_use: TimeUse, groups: Sequence[str]) -> None:
    """Draw the UAR of each head by order of the frames, one panel for each group of clips."""
    figure = Figure(figsize=(4.6 * len(groups) + 0.6, 4.6), dpi=_DPI, layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
    for panel, group in zip(panels, groups):
        _draw_time_use(panel, time_use, group)
    panels[0].set_ylabel("UAR (%)")
    panels[0].legend(frameon=False, fontsize=8, loc="upper right")
    figure.savefig(path)


def _draw_time_use(axes: Axes, time_use: TimeUse, group: str) -> None:
    recalls = time_use.recalls
    orders = list(next(iter(recalls.values())))
    width = 0.8 / len(recalls)
    for number, (head, by_order) in enumerate(recalls.items()):
        places = np.arange(len(orders)) + (number - (len(recalls) - 1) / 2) * width
        heights = [by_order[order][group].uar * _PERCENT for order in orders]
        deviations = [by_order[order][group].uar_deviation * _PERCENT for order in orders]
        axes.bar(places, heights, width * 0.95, label=head)
        varied = [number for number, deviation in enumerate(deviations) if deviation]
        spread = [deviations[number] for number in varied]
        middles = [heights[number] for number in varied]
        axes.errorbar(places[varied], middles, spread, fmt="none", ecolor="black", capsize=2)
        for place, height, deviation in zip(places, heights, deviations):
            axes.text(place, height + deviation + 1, f"{height:.0f}", ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(orders)), orders)
    axes.set(title=group, ylim=(0, 118), xlabel="order of the frames")


def _single() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.2), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    return figure, axes


# Figures are made without pyplot, so no display is needed; texts stay the same wherever they are drawn.
mpl.rcParams["font.family"] = "DejaVu Sans"
