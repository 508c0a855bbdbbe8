"""A comparison as tables: both sides beside each other, what changed into what, who is who, the tolerances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.comparison.comparison import Comparison, Shift
from dfer_ros.comparison.tolerances import Check
from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.text.tables import Cell, Column, Row, Table, table_of
from dfer_ros.text.wording import MISSING, in_percent

_MOST_CHANGES = 6
_MOST_PEOPLE = 10


def comparison_tables(comparison: Comparison, checks: Sequence[Check]) -> list[Table]:
    """Return the tables that have something to say."""
    return [
        _sides(comparison),
        _together(comparison),
        *([_changes(comparison)] if comparison.agreement < 1 else []),
        *([_people(comparison)] if len(comparison.people) > 1 else []),
        *([_checks(checks)] if checks else []),
    ]


def _sides(comparison: Comparison) -> Table:
    old, new = comparison.old, comparison.new
    rows = [
        _row("people (face ids)", old.people, new.people, "{:.0f}"),
        _row("answers", old.answers, new.answers, "{:.0f}"),
        _row("faces seen (s)", old.seconds, new.seconds, "{:.1f}"),
        _row("flips per minute", old.flips_per_minute, new.flips_per_minute, "{:.2f}"),
        _row("unknown (%)", 100 * old.unknown, 100 * new.unknown, "{:.1f}"),
        _row("confidence", old.confidence, new.confidence, "{:.3f}"),
        _row("valence", old.valence, new.valence, "{:.3f}"),
        _row("arousal", old.arousal, new.arousal, "{:.3f}"),
    ]
    if comparison.scores:
        before, after = comparison.scores
        rows += [
            _row("labelled answers", before.answers, after.answers, "{:.0f}"),
            _row("missing, counted as wrong", before.missing, after.missing, "{:.0f}"),
            _row("accuracy (%)", 100 * before.accuracy, 100 * after.accuracy, "{:.1f}"),
            _row("UAR (%)", 100 * before.uar, 100 * after.uar, "{:.1f}"),
        ]
    return table_of(("", "old", "new", "change"), rows)


def _row(name: str, old: float, new: float, form: str) -> Row:
    return name, form.format(old), form.format(new), form.replace("{:", "{:+").format(new - old)


def _together(comparison: Comparison) -> Table:
    named = comparison.agreement_named
    rows = [
        ("label agreement", _percent(comparison.agreement)),
        ("... where both name an expression", MISSING if named is None else _percent(named)),
        ("faces lost (of the old answers)", _percent(comparison.lost)),
        ("faces found (of the new answers)", _percent(comparison.found)),
        ("probability shift (0 to 1)", f"{comparison.probability_shift:.3f}"),
    ]
    for name in ("confidence", "valence", "arousal"):
        rows.append((f"{name} shift: mean, absolute, largest", _shift(getattr(comparison, name))))
    return table_of(("", ""), rows, title=f"same face, same frame: {len(comparison.pairs):,} answers")


def _shift(shift: Shift) -> str:
    return f"{shift.mean:+.3f}, {shift.mean_absolute:.3f}, {shift.largest:.3f}"


def _changes(comparison: Comparison) -> Table:
    changes = comparison.changes.copy()
    np.fill_diagonal(changes, 0)
    order = np.argsort(-changes, axis=None, kind="stable")[: np.count_nonzero(changes)]
    rows = []
    for row, column in zip(*np.unravel_index(order[:_MOST_CHANGES], changes.shape)):
        count = int(changes[row, column])
        rows.append((STATES[row], STATES[column], f"{count:,}", _percent(count / len(comparison.pairs))))
    if len(order) > _MOST_CHANGES:
        rest = int(changes.sum() - np.sort(changes, axis=None)[::-1][:_MOST_CHANGES].sum())
        rows.append(("others", "", f"{rest:,}", _percent(rest / len(comparison.pairs))))
    return table_of(("old", "new", "answers", "share"), rows, words=2, title="where the labels differ")


def _people(comparison: Comparison) -> Table:
    rows: list[Row] = [
        (pair.old_id, pair.new_id, f"{pair.frames:,}", _percent(pair.agreement))
        for pair in comparison.people[:_MOST_PEOPLE]
    ]
    if len(comparison.people) > _MOST_PEOPLE:
        rows.append((f"{len(comparison.people) - _MOST_PEOPLE} more",))
    return table_of(("old id", "new id", "frames", "agreement"), rows, words=2, title="who is who")


def _checks(checks: Sequence[Check]) -> Table:
    rows = []
    for check in checks:
        bound = "at least" if check.measure.least else "at most"
        within = Cell("within", "green") if check.within else Cell("beyond", "red")
        rows.append((check.measure.subject, check.text(check.value), f"{bound} {check.text(check.limit)}", within))
    columns = [Column(""), Column("figure", number=True), Column("tolerance", number=True), Column("")]
    return Table(columns, rows, "tolerances")


def _percent(share: float) -> str:
    return f"{in_percent(share)} %"
