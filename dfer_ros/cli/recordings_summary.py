"""The results of analysing many recordings: a table in a file, and a summary on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from dfer_ros.cli.recording_worker import RecordingResult
from dfer_ros.cli.terminal import say, show_table, warn
from dfer_ros.core.atomic_file import whole_file
from dfer_ros.recordings.analysis_receipt import Receipt, image_remarks
from dfer_ros.text.tables import Column, Row, Table, csv_text
from dfer_ros.text.wording import plural

_FIGURES = ("frames", "faces", "seconds", "read", "expected", "unreadable", "late", "repeated", "jumps")
"""Fields of a receipt."""
_MOST_PROBLEMS = 20
"""Shown on the terminal; the file has all."""


def write_summary(path: Path, results: Sequence[RecordingResult]) -> None:
    """Write a CSV file with a line for each recording: its figures, see Receipt, or why it failed.

    A recording of which not all could be read has its figures, and in the last column how much of it.
    """
    rows: list[list[object]] = []
    for result in results:
        source, receipt = _text(result.task.source), result.receipt
        if receipt is None:
            rows.append([source, "", *("" for _ in _FIGURES), _text(result.problem)])
        else:
            figures = (getattr(receipt, name) for name in _FIGURES)
            rows.append([source, _text(result.task.output.name), *figures, _text(_remarks(receipt))])
    with whole_file(path) as file:
        file.write(csv_text(("source", "output", *_FIGURES, "problem"), rows))


def say_summary(folder: Path, results: Sequence[RecordingResult], before: Collection[Path], seconds: float) -> None:
    """Print the failures with their reasons, then one line about all.

    before: sources that were finished in an earlier run. seconds: that this run took.
    """
    failed = [result for result in results if result.receipt is None]
    if failed:
        _say_problems(failed)
    new = [result.receipt for result in results if result.receipt and result.task.source not in before]
    parts = [f"{len(new)} analyzed"]
    parts += [f"{len(before)} finished before"] if before else []
    parts += [f"{len(failed)} failed"] if failed else []
    incomplete = [result for result in results if result.receipt and result.receipt.expected]
    parts += [f"{len(incomplete)} incomplete"] if incomplete else []
    sentence = f"{plural(len(results), 'recording')}: {', '.join(parts)}"
    if new:
        video = sum(receipt.seconds for receipt in new)
        sentence += f"; {video:.0f} s of video in {seconds:.0f} s ({video / max(seconds, 1e-3):.1f} times real time)"
    say(f"{sentence} -> {_text(folder)}")
    unreadable, late, repeated, jumps = (
        sum(getattr(receipt, name) for receipt in new) for name in ("unreadable", "late", "repeated", "jumps")
    )
    remarks = list(image_remarks(unreadable, late, repeated, jumps))
    if remarks:
        warn(*remarks, "The summary says of which recordings.")
    sentences = [
        _text(f"{result.task.source}: {_remarks(result.receipt)}")
        for result in results
        if result.receipt and _remarks(result.receipt)
    ]
    if len(sentences) > _MOST_PROBLEMS:
        sentences[_MOST_PROBLEMS:] = [f"And {len(sentences) - _MOST_PROBLEMS} more, see the summary."]
    warn(*sentences)


def _say_problems(failed: Sequence[RecordingResult]) -> None:
    rows: list[Row | None] = []
    for result in failed[:_MOST_PROBLEMS]:
        rows += [(_text(result.task.source), _text(result.problem)), None]
    columns = [Column("recording", fold=True), Column("why", fold=True)]
    show_table(Table(columns, rows, f"failed: {len(failed)}"), narrow=True, aside=True)
    if len(failed) > _MOST_PROBLEMS:
        warn(f"and {len(failed) - _MOST_PROBLEMS} more, see the summary")


def _remarks(receipt: Receipt) -> str:
    """Return what is to be said of a recording that was analyzed, in sentences."""
    missing = [f"only {receipt.read} of {receipt.expected} frames could be read."] if receipt.expected else []
    return " ".join([*missing, *receipt.remarks])


def _text(path: object) -> str:
    """Return a path as text, even one that holds bytes of no text."""
    return str(path).encode("utf-8", "replace").decode()
