"""`dfer report`: a recording of emotions as one page to look at, and as tables for studies."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dfer_ros.bags.reader import check_no_ros1, holds_messages
from dfer_ros.cli.terminal import say, show_table, warn
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.core.installed_files import at_home
from dfer_ros.recordings.answer_file import read_answer_file
from dfer_ros.recordings.bag_emotions import read_bag_crops, read_bag_emotions
from dfer_ros.recordings.bag_images import BagImages
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.recordings.frame_source import DEFAULT_FPS, INCOMPLETE_CODE, FrameSource, Shortfall
from dfer_ros.recordings.video import open_source
from dfer_ros.report.frame_timing import pause_remarks
from dfer_ros.report.page import MOST_PEOPLE, report_page
from dfer_ros.report.person import Person, describe_people
from dfer_ros.report.portraits import PortraitMoment, crops_from_frames, portrait_moments, portraits_of
from dfer_ros.report.study_tables import episode_table, longitudinal_table
from dfer_ros.text.tables import Column, Table
from dfer_ros.text.wording import length, number, percent, plural


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer report`."""
    parser.add_argument("recording", type=Path, help="JSONL file of `dfer analyze`, or bag with emotions")
    parser.add_argument("-o", "--output", type=Path, required=True, help="page to write (.html)")
    parser.add_argument("--csv", type=Path, help="figures for each person and expression to write as well (.csv)")
    parser.add_argument("--episodes", type=Path, help="every expression with onset, apex and offset, as well (.csv)")
    parser.add_argument(
        "--topic", default="", help="topic of the emotions in a bag; not needed where there is only one"
    )
    parser.add_argument("--faces", action="store_true", help="show faces in the page; without this there are none")
    parser.add_argument("--source", default="", help="with --faces: the video, folder or bag that was analyzed")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and the tables; they appear whole or not at all."""
    _check_arguments(arguments)
    with contextlib.ExitStack() as files:
        page, figures, episodes = (
            None if path is None else files.enter_context(whole_file(path))
            for path in (arguments.output, arguments.csv, arguments.episodes)
        )
        recording = _read_recording(arguments.recording, arguments.topic)
        people = describe_people(recording)
        moments = portrait_moments(people[:MOST_PEOPLE]) if arguments.faces else []
        crops, shortfall = _crops(arguments, people, moments) if moments else ([], None)
        recording = _with_remarks(recording, len(moments) - len(crops), len(moments), shortfall)
        portraits = portraits_of(crops)
        if page:
            page.write(report_page(recording, people, portraits))
        if figures:
            figures.write(longitudinal_table(recording, people))
        if episodes:
            episodes.write(episode_table(recording, people))
    _show_summary(recording, people, arguments)
    return INCOMPLETE_CODE if shortfall else 0


def _check_arguments(arguments: argparse.Namespace) -> None:
    wanted = ((arguments.output, ".html"), (arguments.csv, ".csv"), (arguments.episodes, ".csv"))
    for path, suffix in wanted:
        if path is not None and (path.suffix.lower() != suffix or path.is_dir()):
            raise SourceError(f"{path} must be the name of a {suffix} file.")
    source = at_home(Path(arguments.source)) if arguments.source else None
    check_outputs((arguments.recording, source), (path for path, _ in wanted))
    if arguments.source and not arguments.faces:
        raise SourceError("--source is only of use with --faces.")
    from_bag = holds_messages(arguments.recording)
    if arguments.faces and from_bag and arguments.source:
        raise SourceError("--source goes with a JSONL file; a bag brings its own faces.")
    if source is not None and not source.exists():
        raise SourceError(
            f"There is no file or folder {source}: --source takes the video, folder or bag that was analyzed."
        )
    if arguments.faces and not from_bag and not arguments.source:
        raise SourceError("--faces needs what was analyzed, as a JSONL file holds no pictures: name it with --source.")


def _read_recording(path: Path, topic: str) -> RecordedEmotions:
    if not path.exists():
        raise SourceError(f"There is no file or folder {path}: give a JSONL file of `dfer analyze`, or a bag.")
    if path.is_dir() or holds_messages(path):
        return read_bag_emotions(path, topic)
    check_no_ros1(path)
    if path.suffix.lower() != ".jsonl":
        raise SourceError(f"{path} is neither a .jsonl file nor a bag; for a video run `dfer analyze` first.")
    return read_answer_file(path)


def _crops(
    arguments: argparse.Namespace, people: Sequence[Person], moments: Sequence[PortraitMoment]
) -> tuple[list[tuple[PortraitMoment, Image]], Shortfall | None]:
    """Return the faces that the page shows, as far as they are there: from the bag, or out of the source's frames.

    With them comes what of the source could not be read; None where the last of these faces comes before that.
    """
    if holds_messages(arguments.recording):
        keys = {(moment.stamp, moment.face_id): moment for moment in moments}
        crops = read_bag_crops(arguments.recording, arguments.topic, keys)
        return [(moment, crops[key]) for key, moment in keys.items() if key in crops], None
    source = _source(at_home(Path(arguments.source)), arguments.topic, people)
    by_id = {person.face_id: person for person in people}
    return crops_from_frames(source.frames(), by_id, moments, tolerance=0.5 / source.fps), source.shortfall


def _source(path: Path, topic: str, people: Sequence[Person]) -> FrameSource:
    if holds_messages(path):
        return BagImages(path, topic)
    return open_source(str(path), _frame_rate(people))


def _frame_rate(people: Sequence[Person]) -> float:
    """Return the frames per second at which a folder of images was analyzed, which has no times of its own."""
    track = max((person.track for person in people), key=lambda track: track.frames[-1])
    frame, stamp = int(track.frames[-1]), float(track.stamps[-1])
    return frame / stamp if frame > 0 and stamp > 0 else DEFAULT_FPS


def _with_remarks(
    recording: RecordedEmotions, faces_missing: int, faces: int, shortfall: Shortfall | None
) -> RecordedEmotions:
    remarks = [*recording.remarks, *pause_remarks(recording)]
    if faces_missing:
        remarks.append(f"Faces that are not shown, as there is no picture at their time: {faces_missing} of {faces}.")
    if shortfall:
        remarks.append(f"Of --source {shortfall}")
    return replace(recording, remarks=tuple(remarks))


def _show_summary(recording: RecordedEmotions, people: Sequence[Person], arguments: argparse.Namespace) -> None:
    warn(*recording.remarks)
    headings = ("person", "in view", "mostly", "unknown", "expressions", "confidence")
    words = ("person", "mostly")
    columns = [Column(name, number=name not in words, fold=name in words) for name in headings]
    rows = [
        (
            person.face_id,
            length(person.seen_seconds),
            ", ".join(f"{figures.state} {percent(figures.share)}" for figures in person.ranking[:2]),
            percent(person.unknown.share),
            str(len(person.episodes)),
            number(person.confidence),
        )
        for person in people[:MOST_PEOPLE]
    ]
    show_table(Table(columns, rows, f"{recording.name}: {length(recording.end - recording.begin)}"), narrow=True)
    if len(people) > MOST_PEOPLE:
        say(f"and {plural(len(people) - MOST_PEOPLE, 'more person', 'more people')}")
    written = [str(path) for path in (arguments.output, arguments.csv, arguments.episodes) if path is not None]
    say(f"-> {', '.join(written)}")
