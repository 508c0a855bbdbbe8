"""`dfer compare`: what a change of model, parameters or version did to the answers about a recording."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from dfer_ros.cli.argument_types import not_negative, share
from dfer_ros.cli.terminal import say, say_error, show_table, warn
from dfer_ros.comparison.comparison import Comparison, compare_recordings
from dfer_ros.comparison.json_result import json_result
from dfer_ros.comparison.labelled_times import read_labels
from dfer_ros.comparison.table import comparison_tables
from dfer_ros.comparison.tolerances import MEASURES, check, verdict
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.errors import DataError, DferError
from dfer_ros.recordings.answer_file import read_answer_file
from dfer_ros.recordings.emotion_track import RecordedEmotions

WITHIN, BEYOND, UNUSABLE = 0, 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer compare`."""
    parser.add_argument("old", type=Path, help="JSONL file of `dfer analyze` before the change")
    parser.add_argument("new", type=Path, help="JSONL file of the same recording after it")
    parser.add_argument("--labels", type=Path, help="CSV file: start, end (s), expression and, if wanted, face_id")
    parser.add_argument("--plot", type=Path, help="picture over time to write (.png); needs matplotlib")
    parser.add_argument("--json", type=Path, help="every figure, to write as JSON")
    group = parser.add_argument_group(
        "tolerances", f"exit code {WITHIN} within all that are given, {BEYOND} beyond one, {UNUSABLE} for bad input"
    )
    for measure in MEASURES:
        bound = "least" if measure.least else "most"
        group.add_argument(
            f"--{measure.name}",
            type=share if measure.share else not_negative,
            metavar="SHARE" if measure.share else "NUMBER",
            help=f"{bound} {measure.subject}{' (0 to 1)' if measure.share else ''}"
            + (", with --labels" if measure.labels else ""),
        )


def run(arguments: argparse.Namespace) -> int:
    """Compare, show and judge; files appear whole or not at all."""
    try:
        _check_arguments(arguments)
        comparison = _compare(arguments)
        checks = check(comparison, _limits(arguments))
        if arguments.json is not None:
            with whole_file(arguments.json) as file:
                file.write(json.dumps(json_result(comparison, checks), indent=2) + "\n")
        if arguments.plot is not None:
            _plot(arguments.plot, comparison)
    except DferError as error:
        # As of diff and cmp: 1 says that the two differ, so trouble has a code of its own.
        say_error(f"dfer compare: {error}")
        return UNUSABLE
    within = all(each.within for each in checks)
    warn(*comparison.remarks)
    say(f"old: {comparison.old.name}, new: {comparison.new.name}")
    for table in comparison_tables(comparison, checks):
        show_table(table)
    written = [str(path) for path in (arguments.json, arguments.plot) if path is not None]
    if written:
        say(f"-> {', '.join(written)}")
    say(verdict(checks), ("green" if within else "red") if checks else "")
    return WITHIN if within else BEYOND


def _check_arguments(arguments: argparse.Namespace) -> None:
    if arguments.plot is not None and arguments.plot.suffix.lower() != ".png":
        raise DataError(f"The plot {arguments.plot} must be a .png file.")
    check_outputs((arguments.old, arguments.new, arguments.labels), (arguments.json, arguments.plot))
    wanted = [measure.name for measure in MEASURES if measure.labels and measure.name in _limits(arguments)]
    if wanted and arguments.labels is None:
        raise DataError(f"--{wanted[0]} needs --labels.")


def _limits(arguments: argparse.Namespace) -> dict[str, float]:
    given = {measure.name: getattr(arguments, measure.name.replace("-", "_")) for measure in MEASURES}
    return {name: limit for name, limit in given.items() if limit is not None}


def _compare(arguments: argparse.Namespace) -> Comparison:
    labels = [] if arguments.labels is None else read_labels(arguments.labels)
    old, new = (_read_recording(path) for path in (arguments.old, arguments.new))
    for name in (lambda path: f"{path.parent.name}/{path.stem}", str):
        if old.name == new.name:
            old, new = replace(old, name=name(arguments.old)), replace(new, name=name(arguments.new))
    return compare_recordings(old, new, labels)


def _read_recording(path: Path) -> RecordedEmotions:
    if path.is_dir():
        raise DataError(f"{path} is a folder: give a JSONL file of `dfer analyze`.")
    return read_answer_file(path)


def _plot(path: Path, comparison: Comparison) -> None:
    try:
        from dfer_ros.comparison.plot import plot_comparison
    except ImportError as error:
        raise DataError("--plot needs matplotlib: 'pip install matplotlib'.") from error
    plot_comparison(path, comparison)
