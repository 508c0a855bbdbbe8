"""Answers against what people have seen: a CSV file of labelled times, accuracy and recall.

Both sides are judged by the same faces in the same frames: all that are labelled and that at least one of them saw. Who
has no answer there is wrong, or losing the faces that are hard to read would pass for an improvement.

Cells are parted by commas, semicolons or tabs, decimals may have a comma, and other columns do no harm.
Columns: `start` and `end` (seconds, on the clock of the stamps in the JSONL file), `expression` (as in the messages, or
the name of the class), and, if several people are in view, `face_id`, as in the old file. Without an id a row is about
everybody in view; where rows overlap, one with an id counts more.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dfer_ros.comparison.matching import Answers, Flags, Indices, Pairs
from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import EXPRESSIONS, LABELS
from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.recordings.emotion_track import Floats

_REQUIRED = ("start", "end", "expression")
_SEPARATORS = ",;\t"
"""Of cells: Excel takes a semicolon where people write decimal commas."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The first bytes of what Excel calls Unicode text."""
_INDEX = {name: index for names in (LABELS, EXPRESSIONS) for index, name in enumerate(names)}
_NONE = -1
"""In the place of a label or of an answer."""


@dataclass(frozen=True)
class LabelledTime:
    """start, end: seconds, the end not included. expression: index into EXPRESSIONS. face_id: empty for everybody.

    line: of the file.
    """

    start: float
    end: float
    expression: int
    face_id: str
    line: int


@dataclass(frozen=True)
class LabelScore:
    """How right one side is about the labelled faces of all frames that either side saw.

    answers: that it gave about them. missing: those that only the other side saw. accuracy: share of answers and
    missing ones that are right, 0..1. uar: unweighted average recall, 0..1, the mean over the expressions that occur.
    Unknown and missing are wrong.
    """

    answers: int
    missing: int
    accuracy: float
    uar: float


def read_labels(path: Path) -> list[LabelledTime]:
    """Return the rows of a file of labels. Raises DataError where it cannot be read, with the line that is wrong."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content[:2] in _UTF16_MARKS else "utf-8-sig")
        header = text.lstrip().partition("\n")[0]
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=header.count))
        columns = [name.strip().lower() for name in table.fieldnames or ()]
        table.fieldnames = columns
        if not set(_REQUIRED) <= set(columns):
            raise DataError(
                f"{path} must have the columns {', '.join(_REQUIRED)} and, if wanted, face_id; "
                f"it has {', '.join(filter(None, columns)) or 'none'}."
            )
        labels = [
            _row(row, f"{path}, line {table.line_num}", table.line_num)
            for row in table
            if any(isinstance(cell, str) and cell.strip() for cell in row.values())
        ]
    except OSError as error:
        raise DataError(f"{path} cannot be read as CSV ({error.strerror}): correct its name.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV ({error}): save it again as CSV in UTF-8.") from error
    if not labels:
        raise DataError(f"{path} holds no labels: it needs a row for each stretch of time that is labelled.")
    _check_overlaps(path, labels)
    return labels


def score_answers(
    labels: Sequence[LabelledTime], old: Answers, new: Answers, pairs: Pairs, frames: Indices
) -> tuple[LabelScore, LabelScore]:
    """Return how right the old and the new answers are. frames: by number, those that both processed.

    Raises DataError where a face id is none of the old file, or where no face of either side is labelled.
    """
    ids = {track.face_id: index for index, track in enumerate(old.recording.tracks)}
    strange = next((label for label in labels if label.face_id and label.face_id not in ids), None)
    if strange:
        raise DataError(
            f"The face_id {strange.face_id} of the labels (line {strange.line}) is not in {old.recording.name}; it has "
            f"{', '.join(sorted(ids))}."
        )
    people = np.concatenate([old.tracks, _people_of_new(old, new, pairs)])
    in_frames = np.concatenate([old.frames, new.frames])
    _, first, seen = np.unique(np.stack([in_frames, people]), axis=1, return_index=True, return_inverse=True)
    truth = _truth(labels, np.concatenate([old.stamps, new.stamps])[first], people[first], ids)
    truth[~np.isin(in_frames[first], frames)] = _NONE
    if (truth == _NONE).all():
        raise DataError(
            f"No answer of {old.recording.name} is labelled: its stamps go from {old.stamps.min():.2f} to "
            f"{old.stamps.max():.2f} s, and start and end must be on the same clock."
        )
    old_states, new_states = np.full((2, len(truth)), _NONE)
    of_old, of_new = np.split(seen.ravel(), [len(old)])
    old_states[of_old], new_states[of_new] = old.states, new.states
    # Of two answers about one person in one frame, that of the pair counts.
    new_states[of_new[pairs.new]] = new.states[pairs.new]
    return _score(truth, old_states), _score(truth, new_states)


def _row(row: dict[Any, Any], where: str, line: int) -> LabelledTime:
    # A table program may put empty cells behind the others.
    beyond = any(cell.strip() for cell in row.pop(None, None) or ())
    if beyond or any(row[name] is None for name in (*_REQUIRED, "face_id") if name in row):
        raise DataError(f"{where}: the row has more or fewer cells than there are columns.")
    cells = {name: (value or "").strip() for name, value in row.items()}
    expression = cells["expression"].lower()
    if expression not in _INDEX:
        raise DataError(f"{where}: the expression must be one of {', '.join(EXPRESSIONS)}, not '{expression}'.")
    try:
        start, end = (float(cells[name].replace(",", ".")) for name in ("start", "end"))
    except ValueError as error:
        raise DataError(f"{where}: start and end must be seconds.") from error
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise DataError(f"{where}: start must be before end, not {start:g} and {end:g}.")
    return LabelledTime(start, end, _INDEX[expression], cells.get("face_id", ""), line)


def _check_overlaps(path: Path, labels: Sequence[LabelledTime]) -> None:
    before: dict[str, LabelledTime] = {}
    for label in sorted(labels, key=lambda label: label.start):
        last = before.get(label.face_id)
        if last and label.start < last.end and label.expression != last.expression:
            raise DataError(
                f"{path}, lines {last.line} and {label.line}: they say {EXPRESSIONS[last.expression]} and "
                f"{EXPRESSIONS[label.expression]} of the same face at the same time."
            )
        if last is None or label.end > last.end:
            before[label.face_id] = label


def _people_of_new(old: Answers, new: Answers, pairs: Pairs) -> Indices:
    """Return who each new answer [N] is about, as the index of an old track, or beyond these who is nobody there.

    The old track is that of its pair, else the usual one of its face.
    """
    old_tracks, new_tracks = len(old.recording.tracks), len(new.recording.tracks)
    votes = np.zeros((new_tracks, old_tracks), dtype=np.int64)
    np.add.at(votes, (new.tracks[pairs.new], old.tracks[pairs.old]), 1)
    usual = np.where(votes.any(axis=1), votes.argmax(axis=1), old_tracks + np.arange(new_tracks))
    people: Indices = usual[new.tracks]
    people[pairs.new] = old.tracks[pairs.old]
    return people


def _truth(labels: Sequence[LabelledTime], stamps: Floats, people: Indices, ids: Mapping[str, int]) -> Indices:
    """Return the label of each face [N] at its stamp; ids: index among the people, by face id."""
    truth = np.full(len(stamps), _NONE)
    for label in sorted(labels, key=lambda label: bool(label.face_id)):
        meant: Flags = (stamps >= label.start) & (stamps < label.end)
        if label.face_id:
            meant &= people == ids[label.face_id]
        truth[meant] = label.expression
    return truth


def _score(truth: Indices, states: Indices) -> LabelScore:
    """truth, states: [N] label of each face and the answer about it."""
    truth, states = truth[truth != _NONE], states[truth != _NONE]
    answers = int((states != _NONE).sum())
    return LabelScore(answers, len(states) - answers, accuracy(states, truth), unweighted_average_recall(states, truth))
