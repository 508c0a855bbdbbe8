"""`dfer longitudinal`: many analyses of one person as a page and a table over time."""

from __future__ import annotations

import argparse
import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path

from dfer_ros.cli.terminal import say, warn
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.errors import DataError, SourceError
from dfer_ros.recordings.answer_file import recording_stem
from dfer_ros.studies.measures import session_values
from dfer_ros.studies.sessions import Session, read_sessions
from dfer_ros.studies.tables import session_table
from dfer_ros.studies.trend_page import trend_page
from dfer_ros.studies.trends import LEAST_SESSIONS, compare_conditions, find_trends
from dfer_ros.text.wording import plural


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer longitudinal`."""
    parser.add_argument("folder", type=Path, help="folder of JSONL files of `dfer analyze`, one a session")
    parser.add_argument(
        "--person", default="", help="what the names of this person's files start with, or the person's id in them"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="page to write (.html)")
    parser.add_argument("--csv", type=Path, help="every measure of every session as well, for pandas and R (.csv)")
    parser.add_argument(
        "--conditions", type=Path, help="CSV file with the columns session (name of the file) and condition, of two"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page and the table; they appear whole or not at all."""
    for path, suffix in ((arguments.output, ".html"), (arguments.csv, ".csv")):
        if path is not None and path.suffix.lower() != suffix:
            raise SourceError(f"{path} must be the name of a {suffix} file.")
    check_outputs((arguments.conditions,), (arguments.output, arguments.csv))
    with contextlib.ExitStack() as files:
        page, rows = (
            None if path is None else files.enter_context(whole_file(path))
            for path in (arguments.output, arguments.csv)
        )
        sessions = read_sessions(arguments.folder, arguments.person)
        values = session_values(sessions)
        trends = find_trends(values)
        conditions = _conditions(arguments.conditions, sessions) if arguments.conditions else None
        differences = compare_conditions(values, conditions) if conditions else []
        name = arguments.person or arguments.folder.resolve().name
        if page:
            page.write(trend_page(name, sessions, values, trends, differences))
        if rows:
            rows.write(session_table(name, sessions, values))
    found = sum(trend.found for trend in trends)
    if len(sessions) < LEAST_SESSIONS:
        warn(f"A trend needs at least {LEAST_SESSIONS} sessions; there are {len(sessions)}.")
    say(
        f"{plural(len(sessions), 'session')}, {plural(found, 'change')} found in {plural(len(trends), 'trend')} -> "
        f"{arguments.output}"
    )
    return 0


def _conditions(path: Path, sessions: Sequence[Session]) -> dict[str, str]:
    """Return the condition of each session that the file names. Raises DataError where it is not such a file."""
    if not path.is_file():
        raise DataError(f"There is no file {path}: it is to have the columns session and condition.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(row["session"], row["condition"]) for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file with the columns session and condition.") from error
    named = {Path(session).stem if session.endswith(".jsonl") else session: condition for session, condition in rows}
    plain = {recording_stem(session.name): session.name for session in sessions}
    named = {plain.get(session, session): condition for session, condition in named.items()}
    unknown = sorted(set(named) - {session.name for session in sessions})
    if unknown:
        raise DataError(
            f"{path} names the session {unknown[0]}, of which there is no file: use the names of the files."
        )
    return named
