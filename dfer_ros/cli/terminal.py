"""The one voice of all commands: what they say, warn of and show, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from dfer_ros.core.errors import sentence
from dfer_ros.text.tables import Table, rich_table

_TABLE_WIDTH = 156
"""Columns that the widest table needs; a narrower terminal wraps its lines, which beats cutting its cells."""


def terminal(aside: bool = False) -> Console:
    """Return a console for what prints by itself, as a training does; aside: on standard error."""
    return Console(stderr=aside)


def say(text: str, style: str = "") -> None:
    """Print a sentence on standard output."""
    Console(soft_wrap=True).print(text, style=style, highlight=False, markup=False)


def warn(*sentences: str) -> None:
    """Print warnings on standard error; the command goes on."""
    for text in sentences:
        _say_aside(text, "yellow")


def say_error(text: str) -> None:
    """Print why a command ends, on standard error."""
    _say_aside(text, "red")


def show_table(table: Table, narrow: bool = False, aside: bool = False) -> None:
    """Print a table with all its columns.

    narrow: keep to the width of the terminal, whatever that is. aside: print on standard error.
    """
    console = terminal(aside)
    if not narrow:
        console.width = max(console.width, _TABLE_WIDTH)
    console.print(rich_table(table, narrow))


def progress(*columns: str | ProgressColumn, **options: Any) -> Progress:
    """Return a display of how far something is, on standard error; options: of `rich.progress.Progress`."""
    return Progress(*columns, console=terminal(aside=True), **options)


@contextmanager
def count_shown(words: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many of all are done, and for how long it will go on; yield what takes the number.

    total: how many they are; None where nobody knows.
    """
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress(*columns) as shown:
        task = shown.add_task(words, total=total)
        yield lambda done: shown.update(task, completed=done)


def _say_aside(text: str, style: str) -> None:
    Console(stderr=True, soft_wrap=True).print(sentence(text), style=style, highlight=False, markup=False)
