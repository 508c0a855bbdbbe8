"""Rows of texts as a table: for a terminal, in Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Column:
    """A column. number: its cells stand on the right. fold: where a terminal is narrow, its cells go on below."""

    heading: str
    number: bool = False
    fold: bool = False


@dataclass(frozen=True)
class Cell:
    """A text in a style of rich, such as red; only terminals show the style."""

    text: str
    style: str = ""


Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Table:
    """A table. rows: None is a line between two rows, and a short row has empty cells at its end."""

    columns: Sequence[Column]
    rows: Sequence[Row | None]
    title: str = ""


def table_of(headings: Sequence[str], rows: Sequence[Row | None], words: int = 1, title: str = "") -> Table:
    """Return a table of which so many columns hold words, and the others numbers."""
    return Table([Column(heading, number=index >= words) for index, heading in enumerate(headings)], rows, title)


def rich_table(table: Table, narrow: bool = False) -> RichTable:
    """Return a table for a terminal. narrow: without lines between the columns, for a terminal of 80 columns."""
    shown = RichTable(
        title=escape(table.title) or None,
        title_justify="left",
        show_header=any(column.heading for column in table.columns),
    )
    if narrow:
        shown.box, shown.padding, shown.pad_edge = SIMPLE_HEAD, 0, False
    folds = any(column.fold for column in table.columns)
    for column in table.columns:
        shown.add_column(
            escape(column.heading),
            justify="right" if column.number else "left",
            overflow="fold" if column.fold else "ellipsis",
            no_wrap=folds and not column.fold,
        )
    for row in table.rows:
        if row is None:
            shown.add_section()
        else:
            shown.add_row(*(Text(_text(cell), style=cell.style if isinstance(cell, Cell) else "") for cell in row))
    return shown


def markdown_table(table: Table) -> str:
    """Return a table in Markdown, without its title."""
    lines = [
        [column.heading for column in table.columns],
        ["---:" if column.number else "---" for column in table.columns],
        *([_text(cell) for cell in row] for row in table.rows if row is not None),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]], digits: int | None = None) -> str:
    """Return a table as CSV text: yes and no, an empty cell for None, and floats rounded to so many digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_value(value, digits) for value in row] for row in rows)
    return text.getvalue()


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell


def _value(value: object, digits: int | None) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return round(value, digits) if isinstance(value, float) and digits is not None else value
