"""A comparison on the terminal: both sides beside each other, what changed into what, who is who, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dfer_ros.comparison.comparison import Comparison, Shift
from dfer_ros.comparison.tolerances import Check, verdict
from dfer_ros.recordings.emotion_track import STATES

_MOST_CHANGES = 6
_MOST_PEOPLE = 10


def say_comparison(comparison: Comparison, checks: Sequence[Check], written: Sequence[Path]) -> None:
    """Print a comparison and its verdict; remarks go to stderr."""
    for remark in comparison.remarks:
        Console(stderr=True, soft_wrap=True).print(remark, style="yellow", highlight=False, markup=False)
    console = Console()
    lines = Console(soft_wrap=True)
    lines.print(f"old: {comparison.old.name}, new: {comparison.new.name}", highlight=False, markup=False)
    console.print(_sides(comparison))
    console.print(_together(comparison))
    if comparison.agreement < 1:
        console.print(_changes(comparison))
    if len(comparison.people) > 1:
        console.print(_people(comparison))
    if checks:
        console.print(_checks(checks))
    if written:
        lines.print(f"-> {', '.join(map(str, written))}", highlight=False, markup=False)
    style = "" if not checks else "green" if all(check.within for check in checks) else "red"
    lines.print(verdict(checks), style=style, highlight=False, markup=False)


def _sides(comparison: Comparison) -> Table:
    old, new = comparison.old, comparison.new
    table = Table()
    for heading in ("", "old", "new", "change"):
        table.add_column(heading, justify="right" if heading else "left")
    _add_row(table, "people (face ids)", old.people, new.people, "{:.0f}")
    _add_row(table, "answers", old.answers, new.answers, "{:.0f}")
    _add_row(table, "faces seen (s)", old.seconds, new.seconds, "{:.1f}")
    _add_row(table, "flips per minute", old.flips_per_minute, new.flips_per_minute, "{:.2f}")
    _add_row(table, "unknown (%)", 100 * old.unknown, 100 * new.unknown, "{:.1f}")
    _add_row(table, "confidence", old.confidence, new.confidence, "{:.3f}")
    _add_row(table, "valence", old.valence, new.valence, "{:.3f}")
    _add_row(table, "arousal", old.arousal, new.arousal, "{:.3f}")
    if comparison.scores:
        before, after = comparison.scores
        _add_row(table, "labelled answers", before.answers, after.answers, "{:.0f}")
        _add_row(table, "missing, counted as wrong", before.missing, after.missing, "{:.0f}")
        _add_row(table, "accuracy (%)", 100 * before.accuracy, 100 * after.accuracy, "{:.1f}")
        _add_row(table, "UAR (%)", 100 * before.uar, 100 * after.uar, "{:.1f}")
    return table


def _add_row(table: Table, name: str, old: float, new: float, form: str) -> None:
    table.add_row(name, form.format(old), form.format(new), form.replace("{:", "{:+").format(new - old))


def _together(comparison: Comparison) -> Table:
    table = Table(
        title=f"same face, same frame: {len(comparison.pairs):,} answers", title_justify="left", show_header=False
    )
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("label agreement", _percent(comparison.agreement))
    named = comparison.agreement_named
    table.add_row("... where both name an expression", "\u2013" if named is None else _percent(named))
    table.add_row("faces lost (of the old answers)", _percent(comparison.lost))
    table.add_row("faces found (of the new answers)", _percent(comparison.found))
    table.add_row("probability shift (0 to 1)", f"{comparison.probability_shift:.3f}")
    for name in ("confidence", "valence", "arousal"):
        table.add_row(f"{name} shift: mean, absolute, largest", _shift(getattr(comparison, name)))
    return table


def _shift(shift: Shift) -> str:
    return f"{shift.mean:+.3f}, {shift.mean_absolute:.3f}, {shift.largest:.3f}"


def _changes(comparison: Comparison) -> Table:
    table = Table(title="where the labels differ", title_justify="left")
    for heading in ("old", "new", "answers", "share"):
        table.add_column(heading, justify="right" if heading in ("answers", "share") else "left")
    changes = comparison.changes.copy()
    np.fill_diagonal(changes, 0)
    order = np.argsort(-changes, axis=None, kind="stable")[: np.count_nonzero(changes)]
    for row, column in zip(*np.unravel_index(order[:_MOST_CHANGES], changes.shape)):
        count = int(changes[row, column])
        table.add_row(STATES[row], STATES[column], f"{count:,}", _percent(count / len(comparison.pairs)))
    if len(order) > _MOST_CHANGES:
        rest = int(changes.sum() - np.sort(changes, axis=None)[::-1][:_MOST_CHANGES].sum())
        table.add_row("others", "", f"{rest:,}", _percent(rest / len(comparison.pairs)))
    return table


def _people(comparison: Comparison) -> Table:
    table = Table(title="who is who", title_justify="left")
    for heading in ("old id", "new id", "frames", "agreement"):
        table.add_column(heading, justify="right" if heading in ("frames", "agreement") else "left")
    for pair in comparison.people[:_MOST_PEOPLE]:
        table.add_row(escape(pair.old_id), escape(pair.new_id), f"{pair.frames:,}", _percent(pair.agreement))
    if len(comparison.people) > _MOST_PEOPLE:
        table.add_row(f"{len(comparison.people) - _MOST_PEOPLE} more", "", "", "")
    return table


def _checks(checks: Sequence[Check]) -> Table:
    table = Table(title="tolerances", title_justify="left")
    for heading in ("", "figure", "tolerance", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for check in checks:
        bound = "at least" if check.measure.least else "at most"
        mark = "[green]within[/]" if check.within else "[red]beyond[/]"
        table.add_row(check.measure.subject, check.text(check.value), f"{bound} {check.text(check.limit)}", mark)
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
