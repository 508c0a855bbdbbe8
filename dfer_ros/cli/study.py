"""`dfer study`: analyses as files for other programs, and the table of a study over its participants."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from dfer_ros.cli.terminal import say, warn
from dfer_ros.core.atomic_file import check_outputs, make_folder, whole_file, whole_path
from dfer_ros.core.errors import DataError, SourceError
from dfer_ros.recordings.answer_file import read_answer_file, recording_stem
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.person import describe_people
from dfer_ros.studies.elan import write_elan
from dfer_ros.studies.participants import Participant, paper_table, participant_table, summarise
from dfer_ros.studies.sessions import session_files
from dfer_ros.studies.tables import BIDS_COLUMNS, bids_events, event_table
from dfer_ros.text.wording import plural

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer study`."""
    parser.add_argument("recordings", nargs="+", type=Path, help="JSONL files of `dfer analyze`, or folders of them")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for what is written")
    parser.add_argument("--elan", action="store_true", help="one .eaf a recording, for ELAN")
    parser.add_argument("--csv", action="store_true", help="one _events.csv a recording: tidy, for pandas and R")
    parser.add_argument(
        "--bids", action="store_true", help="one _events.tsv a recording and its _events.json, for BIDS"
    )
    parser.add_argument("--summary", action="store_true", help="one table over all participants, a recording each")


def run(arguments: argparse.Namespace) -> int:
    """Write what is asked for; every file appears whole or not at all."""
    wanted = {name: getattr(arguments, name) for name in ("elan", "csv", "bids", "summary")}
    if not any(wanted.values()):
        raise SourceError("Say what to write: --elan, --csv, --bids, --summary, or several of them.")
    files = [file for path in arguments.recordings for file in (session_files(path) if path.is_dir() else [path])]
    names = [file.stem for file in files]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise DataError(f"Two recordings are called {double}: what is written of them would have one name.")
    make_folder(arguments.output)
    check_outputs(files, [arguments.output / f"{name}.eaf" for name in names])
    recordings = [(file, recording) for file in files if (recording := _with_faces(file)) is not None]
    if not recordings:
        raise DataError("In none of the recordings a face was seen.")
    participants = []
    for file, recording in recordings:
        people = describe_people(recording)
        participants.append(Participant(file.stem, people[0]))
        if wanted["elan"]:
            stems = dict.fromkeys((file.stem, recording_stem(file.stem)))
            beside = (file.with_name(f"{stem}{end}") for stem in stems for end in _VIDEOS)
            video = next((path for path in beside if path.is_file()), None)
            with whole_path(arguments.output / f"{file.stem}.eaf") as part:
                write_elan(part, recording, people, video)
        if wanted["csv"]:
            _write_table(arguments.output / f"{file.stem}_events.csv", event_table(recording, people))
        if wanted["bids"]:
            _write_table(arguments.output / f"{file.stem}_events.tsv", bids_events(recording, people[0]))
    if wanted["bids"]:
        _write_table(arguments.output / "task_events.json", json.dumps(BIDS_COLUMNS, indent=2) + "\n")
    if wanted["summary"]:
        summaries = summarise(participants)
        _write_table(arguments.output / "participants.csv", participant_table(summaries))
        _write_table(arguments.output / "participants.md", paper_table(summaries))
    say(f"{plural(len(recordings), 'recording')} -> {arguments.output}")
    return 0


def _with_faces(file: Path) -> RecordedEmotions | None:
    """Return what was seen in a recording; None, with a sentence, where nobody was."""
    if file.is_file() and file.stat().st_size == 0:
        warn(f"{file} is left out: it is empty, as no face was seen in that recording, or `dfer analyze` did not end.")
        return None
    return read_answer_file(file)


def _write_table(path: Path, content: str) -> None:
    with contextlib.ExitStack() as files:
        file = files.enter_context(whole_file(path))
        file.write(content)
