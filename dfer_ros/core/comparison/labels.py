"""Answers against what people have seen: a CSV file of labelled times, accuracy and recall.

Columns: `start` and `end` (seconds, on the clock of the stamps in the JSONL file), `expression` (as in the messages, or
the name of the class), and, if several people are in view, `face_id`, as in the old file. Without an id a row is about
everybody in view; where rows overlap, one with an id counts more.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dfer_ros.core.comparison.matching import Answers, Flags, Indices, Pairs
from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import EXPRESSIONS, LABELS

_REQUIRED = ("start", "end", "expression")
_ALLOWED = (*_REQUIRED, "face_id")
_INDEX = {name: index for names in (LABELS, EXPRESSIONS) for index, name in enumerate(names)}
_UNLABELLED = -1


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
    """How right one side is. answers: of it, at times that are labelled. accuracy: share of these that are right.

    uar: unweighted average recall, the mean over the expressions that occur. Unknown is a wrong answer.
    """

    answers: int
    accuracy: float
    uar: float


def read_labels(path: Path) -> list[LabelledTime]:
    """Return the rows of a file of labels. Raises DataError where it cannot be read, with the line that is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns = table.fieldnames or ()
            if not set(_REQUIRED) <= set(columns) <= set(_ALLOWED):
                raise DataError(
                    f"{path} must have the columns {', '.join(_REQUIRED)} and, if wanted, face_id; "
                    f"it has {', '.join(columns) or 'none'}."
                )
            labels = [_row(row, f"{path}, line {table.line_num}", table.line_num) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV ({error}).") from error
    if not labels:
        raise DataError(f"{path} holds no labels: it needs a row for each stretch of time that is labelled.")
    _check_overlaps(path, labels)
    return labels


def score_answers(
    labels: Sequence[LabelledTime], old: Answers, new: Answers, pairs: Pairs
) -> tuple[LabelScore, LabelScore]:
    """Return how right the old and the new answers are.

    Raises DataError where a face id is none of the old file, or where no answer of one side is labelled.
    """
    ids = {track.face_id: index for index, track in enumerate(old.recording.tracks)}
    strange = next((label for label in labels if label.face_id and label.face_id not in ids), None)
    if strange:
        raise DataError(
            f"The face_id {strange.face_id} of the labels (line {strange.line}) is not in {old.recording.name}; it has "
            f"{', '.join(sorted(ids))}."
        )
    return (
        _score(labels, old, old.tracks, ids),
        _score(labels, new, _tracks_of_old(old, new, pairs), ids),
    )


def _row(row: Mapping[str | None, str | None], where: str, line: int) -> LabelledTime:
    if None in row or None in row.values():
        raise DataError(f"{where}: the row has more or fewer cells than there are columns.")
    cells = {name: (value or "").strip() for name, value in row.items()}
    expression = cells["expression"].lower()
    if expression not in _INDEX:
        raise DataError(f"{where}: the expression must be one of {', '.join(EXPRESSIONS)}, not '{expression}'.")
    try:
        start, end = float(cells["start"]), float(cells["end"])
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


def _tracks_of_old(old: Answers, new: Answers, pairs: Pairs) -> Indices:
    """Return the old track [N] of each new answer: that of its pair, else the usual one of its face, or -1."""
    votes = np.zeros((len(new.recording.tracks), len(old.recording.tracks)), dtype=np.int64)
    np.add.at(votes, (new.tracks[pairs.new], old.tracks[pairs.old]), 1)
    usual = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    tracks: Indices = usual[new.tracks]
    tracks[pairs.new] = old.tracks[pairs.old]
    return tracks


def _score(labels: Sequence[LabelledTime], side: Answers, tracks: Indices, ids: Mapping[str, int]) -> LabelScore:
    """tracks: [N] index of the old track that each answer is about. ids: index by face id."""
    truth = np.full(len(side), _UNLABELLED)
    for label in sorted(labels, key=lambda label: bool(label.face_id)):
        meant: Flags = (side.stamps >= label.start) & (side.stamps < label.end)
        if label.face_id:
            meant &= tracks == ids[label.face_id]
        truth[meant] = label.expression
    labelled = truth != _UNLABELLED
    if not labelled.any():
        raise DataError(
            f"No answer of {side.recording.name} is labelled: its stamps go from {side.stamps.min():.2f} to "
            f"{side.stamps.max():.2f} s, and start and end must be on the same clock."
        )
    right = (side.states == truth)[labelled]
    truth = truth[labelled]
    recalls = [float(right[truth == expression].mean()) for expression in np.unique(truth)]
    return LabelScore(int(labelled.sum()), float(right.mean()), float(np.mean(recalls)))
