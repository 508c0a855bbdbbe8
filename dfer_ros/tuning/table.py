"""The tables of `dfer tune`: latency and predictions by resolution, and what is within the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dfer_ros.text.tables import Table, table_of
from dfer_ros.text.wording import plural
from dfer_ros.tuning.accuracy import SizeAccuracy
from dfer_ros.tuning.latency_curve import LatencyCurve


def latency_table(curve: LatencyCurve, accuracy: dict[int, SizeAccuracy], budget_ms: float, faces: int) -> Table:
    """Return the measurements of one encoder beside what each curve predicts from the others alone."""
    sets = next(iter(accuracy.values())).sets if accuracy else {}
    headings = (
        "pixels",
        "measured\nms",
        "curve\nms",
        "Lagrange from\nthe others, ms",
        "off",
        "monotone from\nthe others, ms",
        "off",
        f"within\n{budget_ms:.3g} ms",
        *(f"{name}\nWAR/UAR" for name in sets),
    )
    rows = []
    measured = dict(zip(curve.sizes, zip(curve.times_ms, curve.left_out_lagrange, curve.left_out_monotone)))
    for size in curve.allowed:
        time, lagrange, monotone = measured.get(size, (math.nan,) * 3)
        known = accuracy.get(size)
        row = (
            str(size),
            _milliseconds(time),
            _milliseconds(curve.predicted_ms(size)),
            _milliseconds(lagrange),
            _off(lagrange, time),
            _milliseconds(monotone),
            _off(monotone, time),
            "yes" if curve.predicted_ms(size) <= budget_ms else "no",
            *(f"{one.war:.1f}/{one.uar:.1f}" for one in (known.sets.values() if known else ())),
        )
        rows.append(row)
    title = f"{curve.precision} on {curve.provider}, {crops_in_words(faces)}; monotone curve: {curve.method}"
    return table_of(headings, rows, words=0, title=title)


def crops_in_words(faces: int) -> str:
    """Return what a frame holds."""
    return "one face" if faces == 1 else plural(faces, "face")


def summary_table(curves: Sequence[LatencyCurve], budget_ms: float) -> Table:
    """Return the largest resolution of every encoder within the budget by each curve, and how far the curve is off."""
    headings = ("precision", "provider", "Lagrange", "monotone", "Lagrange,\noff by", "monotone,\noff by")
    rows = []
    for curve in curves:
        by_lagrange, by_monotone = curve.largest(budget_ms)
        row = (
            curve.precision,
            curve.provider,
            str(by_lagrange or "none"),
            str(by_monotone or "none"),
            _furthest(curve.left_out_lagrange, curve.times_ms),
            _furthest(curve.left_out_monotone, curve.times_ms),
        )
        rows.append(row)
    return table_of(headings, rows, words=2, title=f"largest resolution within {budget_ms:.3g} ms")


def _milliseconds(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _off(predicted: float, measured: float) -> str:
    return f"{100 * (predicted / measured - 1):+.0f} %" if math.isfinite(predicted) else ""


def _furthest(predicted: Sequence[float], measured: Sequence[float]) -> str:
    errors = [abs(one / other - 1) for one, other in zip(predicted, measured) if math.isfinite(one)]
    return f"up to {100 * max(errors):.0f} %" if errors else "-"
