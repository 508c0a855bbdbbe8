"""Markdown by hand: tables, and numbers as the report writes them."""

from __future__ import annotations

from collections.abc import Sequence

from dfer_ros.core.labels import LABELS


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is a text, the others are numbers."""
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def percent(share: float) -> str:
    """Return a share 0..1 in percent with one digit."""
    return f"{100 * share:.1f}"


def two_percents(first: float, second: float) -> str:
    """Return two shares as `first / second` in percent."""
    return f"{percent(first)} / {percent(second)}"


def label_name(label: int) -> str:
    """Return the name of a label; that of -1 is for a clip without a face."""
    return LABELS[label] if label >= 0 else "no face"
