"""The picture of `dfer tune`: both curves through the latencies, the budget, the choice, and the accuracy below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dfer_ros.core.atomic_file import write_figure
from dfer_ros.tuning.accuracy import SizeAccuracy
from dfer_ros.tuning.choice import ResolutionChoice
from dfer_ros.tuning.latency_curve import LatencyCurve
from dfer_ros.tuning.table import crops_in_words

_NEAR = 1.6
"""A budget up to so many times the longest latency is drawn; one further up would press the curves flat."""


def plot_tuning(
    path: Path,
    curves: Sequence[LatencyCurve],
    accuracy: dict[int, SizeAccuracy],
    budget_ms: float,
    choice: ResolutionChoice,
    faces: int,
) -> None:
    """Write the PNG; raises SourceError where it cannot be written."""
    figure = Figure(figsize=(11.0, 8.0 if accuracy else 5.0), dpi=110, layout="constrained")
    rows = 2 if accuracy else 1
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=(3, 2)[:rows])[:, 0]
    _draw_latency(panels[0], curves, budget_ms, choice)
    panels[0].set(title=f"Latency of the encoder for {crops_in_words(faces)}, by input size", ylabel="latency (ms)")
    if accuracy:
        _draw_accuracy(panels[1], accuracy, choice)
    panels[-1].set_xlabel("input size (pixels)")
    panels[-1].set_xticks(curves[0].allowed if len(curves[0].allowed) <= 17 else curves[0].sizes)
    write_figure(figure, path)


def _draw_latency(axes: Axes, curves: Sequence[LatencyCurve], budget_ms: float, choice: ResolutionChoice) -> None:
    longest = max(max(curve.times_ms) for curve in curves)
    top = longest * 1.15
    handles = []
    for number, curve in enumerate(curves):
        colour = f"C{number}"
        sizes = np.linspace(curve.sizes[0], curve.sizes[-1], 400)
        axes.plot(sizes, curve.lagrange(sizes), color=colour, linestyle=":", linewidth=1.6)
        axes.plot(sizes, curve.monotone(sizes), color=colour, linewidth=1.6)
        axes.scatter(curve.sizes, curve.times_ms, color=colour, s=26, zorder=3)
        handles.append(Line2D([], [], color=colour, marker="o", label=f"{curve.precision}, {curve.provider}"))
    handles += [
        Line2D([], [], color="0.3", label=f"monotone: {_methods(curves)} (used)"),
        Line2D([], [], color="0.3", linestyle=":", label="Lagrange polynomial (Ghadami et al.)"),
    ]
    if budget_ms <= _NEAR * longest:
        top = max(top, budget_ms * 1.1)
        axes.axhline(budget_ms, color="0.3", linestyle="--", linewidth=1)
        handles.append(Line2D([], [], color="0.3", linestyle="--", label=f"budget, {budget_ms:.3g} ms"))
    else:
        handles.append(Line2D([], [], linestyle="", label=f"budget, {budget_ms:.3g} ms, is above the picture"))
    for option, marker, name in (
        (choice.largest, "D", "largest within the budget"),
        (choice.recommended, "*", "recommended"),
    ):
        look: dict[str, Any] = {
            "marker": marker,
            "color": "black",
            "markerfacecolor": "none",
            "markersize": 17 if marker == "*" else 11,
        }
        axes.plot([option.size], [option.latency_ms], linestyle="", zorder=4, **look)
        handles.append(Line2D([], [], linestyle="", label=f"{name}: {option.size} pixels, {option.precision}", **look))
    axes.set_ylim(0, top)
    axes.grid(alpha=0.3)
    axes.legend(handles=handles, fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=0.7)


def _methods(curves: Sequence[LatencyCurve]) -> str:
    methods = sorted({curve.method for curve in curves})
    return methods[0] if len(methods) == 1 else "PCHIP, after isotonic regression where times fall"


def _draw_accuracy(axes: Axes, accuracy: dict[int, SizeAccuracy], choice: ResolutionChoice) -> None:
    sizes = sorted(accuracy)
    for number, name in enumerate(accuracy[sizes[0]].sets):
        colour = f"C{number + 6}"
        axes.plot(sizes, [accuracy[size].sets[name].war for size in sizes], "s--", color=colour, label=f"{name}, WAR")
        axes.plot(sizes, [accuracy[size].sets[name].uar for size in sizes], "o-", color=colour, label=f"{name}, UAR")
    mean = [accuracy[size].mean_uar for size in sizes]
    axes.plot(sizes, mean, color="black", linewidth=2.2, label="mean UAR (compared)")
    if choice.recommended.size in accuracy:
        axes.plot(
            [choice.recommended.size], [accuracy[choice.recommended.size].mean_uar], "*", color="black", markersize=15
        )
    precision = accuracy[sizes[0]].precision
    axes.set(title=f"Accuracy on stills by input size, measured with {precision}", ylabel="recall (%)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
