"""The sessions of one person: which files they are, when they were, and who of a file is meant."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.recordings.answer_file import read_answer_file, recording_stem
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.person import Person, describe_people
from dfer_ros.report.study_tables import clock_time

_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?:[T_ -]?(\d{2})[-:.h]?(\d{2})(?:[-:.m]?(\d{2}))?)?(?!\d)")
_ANONYMOUS_ID = re.compile(r"face\d+")
_OTHERS_SHARE = 0.2
"""Who is seen less than this share of the time of the one seen longest is a passer-by."""
_UTC = datetime.timezone.utc


@dataclass(frozen=True, eq=False)
class Session:
    """One recording of the person.

    name: of its file. begin: from the stamps where they tell the time, else from the name (then taken as UTC).
    """

    name: str
    path: Path
    begin: datetime.datetime
    recording: RecordedEmotions
    person: Person


def read_sessions(folder: Path, person: str = "") -> list[Session]:
    """Return the sessions of one person in a folder of JSONL files of `dfer analyze`, by time.

    person: how the names of this person's files start, such as p07 of p07_2026-03-01.jsonl; or the id of this person
    in the files, as a person manager of ROS4HRI keeps it. Empty: each file is of one and the same person.
    Raises DataError where that is not clear, where a session has no date, or two files are of one session.
    """
    files = session_files(folder, person)
    _check_one_person(files, person)
    sessions = sorted((_session(path, person) for path in files), key=lambda session: session.begin)
    for first, second in itertools.pairwise(sessions):
        if _same(first, second):
            raise DataError(
                f"{first.path.name} and {second.path.name} are of one session ({first.begin:%Y-%m-%d %H:%M}): take one "
                "of them out of the folder, or put the time of day into their names."
            )
    return sessions


def session_files(folder: Path, person: str = "") -> list[Path]:
    """Return the JSONL files of a folder, of one person if the names tell. Raises DataError where there are none."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: give the one with the JSONL files of `dfer analyze`.")
    files = sorted(path for path in folder.rglob("*.jsonl") if path.is_file())
    if not files:
        raise DataError(f"There is no .jsonl file in {folder}: run `dfer analyze --output-folder` first.")
    return [path for path in files if _of(path, person)] or files


def _check_one_person(files: Sequence[Path], person: str) -> None:
    """Raise DataError where the names of files, before their dates, are of several people, and none of them is meant.

    Ids such as face1 begin anew in every recording, and name nobody.
    """
    if person and not _ANONYMOUS_ID.fullmatch(person):
        return
    dates = ((path, _date_in_name(path)) for path in files)
    names = sorted({path.stem[: date.start()].strip("_-. ") for path, date in dates if date})
    if len(names) > 1:
        raise DataError(
            f"The names of the files begin with {', '.join(name or 'a date' for name in names[:5])}: give --person one "
            "of these, or keep a folder for each person."
        )


def _date_in_name(path: Path) -> re.Match[str] | None:
    """Return the date in the name of the recording, without the hash after it: 2026-03-02-0930fb1d11 tells no time."""
    return _DATE.search(recording_stem(path.stem))


def _of(path: Path, person: str) -> bool:
    """Return whether a file is named after a person: p1_x and p1 after p1 and p1_, p10 after neither."""
    rest = path.stem.removeprefix(person)
    return bool(person) and rest != path.stem and not (person[-1].isalnum() and rest[:1].isalnum())


def _session(path: Path, person: str) -> Session:
    recording = read_answer_file(path)
    people = describe_people(recording)
    return Session(path.stem, path, _session_begin(path, recording), recording, _chosen(path, people, person))


def _chosen(path: Path, people: Sequence[Person], person: str) -> Person:
    by_id = {one.face_id: one for one in people}
    if person in by_id:
        return by_id[person]
    others = [one for one in people[1:] if one.seen_seconds >= _OTHERS_SHARE * people[0].seen_seconds]
    if others:
        ids = ", ".join(one.face_id for one in [people[0], *others][:5])
        raise DataError(
            f"{path} shows several people ({ids}), and it is not clear who is meant: name the id with --person, or "
            "keep a folder for each person with files that show that person alone."
        )
    if person and not _of(path, person):
        raise DataError(
            f"Neither the name of {path} begins with {person} nor is anybody in it called so ({people[0].face_id}): "
            "give --person what the names of the files start with, or the person's id in them."
        )
    return people[0]


def _session_begin(path: Path, recording: RecordedEmotions) -> datetime.datetime:
    told = clock_time(recording.begin)
    if told is not None:
        return told
    match = _date_in_name(path)
    if match:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            return datetime.datetime(year, month, day, hour, minute, second, tzinfo=_UTC)
        except ValueError:
            pass
    raise DataError(
        f"Nothing tells when {path.name} was recorded: its stamps do not count from 1970, and there is no date in its "
        "name; put one there, such as p07_2026-03-01.jsonl."
    )


def _same(first: Session, second: Session) -> bool:
    """Return whether the second of two sessions begins with or within the first one."""
    length = first.recording.end - first.recording.begin if clock_time(first.recording.begin) else 0.0
    return (second.begin - first.begin).total_seconds() < max(length, 1e-3)
