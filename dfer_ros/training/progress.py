"""The progress bar of a run: steps, time gone, time left, the last loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def training_progress(console: Console, steps: int, start: int) -> Iterator[Callable[[str], None]]:
    """Show a bar from step `start` to `steps`; yield a function that advances it by one step and says a few words."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console) as progress:
        task = progress.add_task("training", total=steps, completed=start, words="")
        yield lambda words: progress.update(task, advance=1, words=words)
