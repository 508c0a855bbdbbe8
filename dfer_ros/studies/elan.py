"""A recording as a file of ELAN (.eaf), the annotation program: what was found, to be corrected by hand."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from dfer_ros.core.errors import DferError
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.person import Person
from dfer_ros.studies.events import EXPRESSION, Event, events_of

_SHORTEST_MS = 1


def write_elan(path: Path, recording: RecordedEmotions, people: Sequence[Person], video: Path | None = None) -> None:
    """Write the annotations: for each person a tier of expressions, one of transitions and one of blends.

    path: of the file, which is written as it is: give the part of an atomic file. video: linked where it is given.
    Annotations of a tier do not overlap in ELAN: one that would begins where the one before ends.
    Raises DferError where pympi is missing.
    """
    try:
        from pympi.Elan import Eaf
    except ModuleNotFoundError as error:
        raise DferError("Files for ELAN need pympi: install it with \"pip install 'dfer_ros[studies]'\".") from error
    document = Eaf(author="dfer_ros")
    document.remove_tier("default")
    if video is not None:
        document.add_linked_file(
            str(video.resolve()), relpath=os.path.relpath(video, path.parent), mimetype="video/mp4"
        )
    for person in people:
        events = events_of(recording, person)
        for kind in dict.fromkeys(event.kind for event in events):
            tier = f"{person.face_id} {kind}"
            document.add_tier(tier, part=person.face_id, ann="dfer_ros")
            for start, end, words in _annotations(event for event in events if event.kind == kind):
                document.add_annotation(tier, start, end, words)
    path.unlink(missing_ok=True)  # pympi would keep it beside what it writes
    # pympi says on standard output that there is no file yet.
    with contextlib.redirect_stdout(io.StringIO()):
        document.to_file(str(path))


def _annotations(events: Iterable[Event]) -> list[tuple[int, int, str]]:
    """Return begin and end (milliseconds) and words, none overlapping another one."""
    annotations: list[tuple[int, int, str]] = []
    for event in events:
        start, end = round(1000 * event.onset), round(1000 * (event.onset + event.duration))
        if annotations:
            start = max(start, annotations[-1][1])
        words = (
            event.expression if event.kind == EXPRESSION else f"{event.expression} {_JOINS[event.kind]} {event.other}"
        )
        annotations.append((max(start, 0), max(end, start + _SHORTEST_MS), words))
    return annotations


_JOINS = {"transition": ">", "blend": "+"}
