"""The JSONL file of `dfer analyze`: its lines, one object for each face and processed frame, written and read back."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dfer_ros.core.emotion import PHASES, Emotion
from dfer_ros.core.errors import DataError
from dfer_ros.core.head_pose import HeadPose
from dfer_ros.core.labels import EXPRESSIONS, LABELS
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.track_builder import UNKNOWN_HEAD_POSE, TrackBuilder
from dfer_ros.streams.stamps import CLOCK_TOLERANCE

_LONGEST_STEM, _MOST_STEM_BYTES = 80, 160
"""So that the names of a receipt, and of what is half written, have room in the 255 bytes of a file system."""
_NAME_DIGITS = 10


def output_name(recording: Path) -> str:
    """Return the name of a recording's output: its own, and a hash of its path that tells it from its namesakes.

    The same recording has the same name in every run, whatever else is analyzed.
    """
    digest = hashlib.sha256(os.fsencode(recording)).hexdigest()
    stem = recording.stem[:_LONGEST_STEM].encode("utf-8", "replace")[:_MOST_STEM_BYTES].decode("utf-8", "ignore")
    return f"{stem}-{digest[:_NAME_DIGITS]}.jsonl"


def recording_stem(stem: str) -> str:
    """Return how the recording is called whose output has this name without its suffix: see output_name()."""
    return re.sub(rf"-[0-9a-f]{{{_NAME_DIGITS}}}$", "", stem)


def answer_object(stamp: float, frame: int, roi: Sequence[int], emotion: Emotion) -> dict[str, Any]:
    """Return the object of one face in one frame; the message dfer_msgs/Emotion, of the same fields, serves as well.

    stamp: seconds. frame: index of the frame. roi: x, y, width, height in pixels. Probabilities go by expression.
    """
    return {
        "stamp": round(stamp, 6),
        "frame": frame,
        "face_id": emotion.face_id,
        "roi": list(roi),
        "expression": emotion.expression,
        "confidence": _rounded(emotion.confidence),
        "probabilities": {label: _rounded(p) for label, p in zip(EXPRESSIONS, emotion.probabilities)},
        "valence": _rounded(emotion.valence),
        "arousal": _rounded(emotion.arousal),
        "secondary": emotion.secondary,
        "secondary_confidence": _rounded(emotion.secondary_confidence),
        "intensity": _rounded(emotion.intensity),
        "phase": PHASES[emotion.phase],
        "window_seconds": _rounded(emotion.window_seconds),
        "window_frames": emotion.window_frames,
    }


def head_pose_object(pose: HeadPose | None) -> dict[str, float] | None:
    """Return the angles of a head by name, degrees; None where they are not known."""
    if pose is None:
        return None
    return {name: round(angle, 1) for name, angle in zip(ANGLES, pose.roll_pitch_yaw)}


def answer_line(answer: dict[str, Any]) -> str:
    """Return the object as one line with its line end."""
    return json.dumps(answer) + "\n"


def _rounded(value: float) -> float:
    return round(float(value), 5)


ANGLES = ("roll", "pitch", "yaw")
"""Of a head, in the order of HeadPose.roll_pitch_yaw."""
_MOST_DAMAGED = 0.1
"""Share of damaged lines up to which the others still count as the recording."""
_STATE = {name: index for index, name in enumerate(STATES)}
_PHASE = {name: index for index, name in enumerate(PHASES)}
_NUMBERS = itemgetter("confidence", "valence", "arousal", "intensity")
_PROBABILITIES, _OLD_PROBABILITIES = itemgetter(*EXPRESSIONS), itemgetter(*LABELS)
"""By the names of expressions; files of version 0.1 had those of the classes of a model."""
_DAMAGE = (KeyError, TypeError, ValueError, OverflowError, RecursionError)


def read_answer_file(path: Path) -> RecordedEmotions:
    """Return what a JSONL file of `dfer analyze` holds. Lines may be damaged, up to one in ten; a remark counts them.

    Raises DataError where the file cannot be read, is empty, or has more damaged lines.
    """
    lines = _Lines()
    try:
        with path.open("rb") as file:
            lines.read(file)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): give a JSONL file of `dfer analyze`.") from error
    if not lines.count:
        raise DataError(f"{path} is empty: either no face was seen in that recording, or `dfer analyze` did not end.")
    tracks, impossible = lines.rows.tracks()
    damaged = lines.damaged + impossible
    first = lines.first_damage or "its numbers are out of range"
    if damaged == lines.count:
        raise DataError(f"None of the {damaged} lines of {path} is one of `dfer analyze`; the first: {first}.")
    if damaged > _MOST_DAMAGED * lines.count:
        raise DataError(
            f"{damaged} of the {lines.count} lines of {path} are damaged, more than one in ten: analyze the recording "
            f"again; the first: {first}."
        )
    remarks = []
    if damaged:
        remarks.append(f"{damaged} of {lines.count} lines are damaged and were left out; the first: {first}.")
    if lines.jumps:
        remarks.append(f"Stamps that went back: {lines.jumps}. The lines were sorted by their stamps.")
    stamps = np.unique(np.concatenate([track.stamps for track in tracks]))
    return RecordedEmotions(path.stem, tracks, stamps, remarks=tuple(remarks))


class _Lines:
    """count: lines that are not blank. damaged: those that hold no answer. jumps: how often the stamps go back."""

    def __init__(self) -> None:
        self.rows = TrackBuilder()
        self.count = self.damaged = self.jumps = 0
        self.first_damage = ""
        self._last = float("-inf")

    def read(self, file: BinaryIO) -> None:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            self.count += 1
            try:
                self._add_answer(json.loads(line))
            except _DAMAGE as error:
                self.damaged += 1
                self.first_damage = self.first_damage or f"line {number} {_reason(error)}"

    def _add_answer(self, answer: Any) -> None:
        stamp = answer["stamp"]
        self.rows.add(
            answer["face_id"],
            (
                stamp,
                answer["frame"],
                *answer["roi"],
                _STATE[answer["expression"]],
                _PHASE[answer["phase"]],
                *_NUMBERS(answer),
                *_probabilities(answer["probabilities"]),
            ),
            _head_pose(answer.get("head_pose")),
        )
        # What is infinite is left out later on, among the numbers out of range.
        if math.isfinite(stamp):
            self.jumps += stamp < self._last - CLOCK_TOLERANCE
            self._last = stamp


def _head_pose(told: Any) -> tuple[float, ...]:
    """Return roll, pitch and yaw; no numbers where nobody asked for them, or they are not known."""
    return UNKNOWN_HEAD_POSE if told is None else tuple(float(told[name]) for name in ANGLES)


def _probabilities(answer: Any) -> tuple[float, ...]:
    old = LABELS[-1] in answer
    return tuple(_OLD_PROBABILITIES(answer) if old else _PROBABILITIES(answer))


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"lacks or does not know {error}"
    if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError, RecursionError)):
        return "is not JSON"
    return "has a value of another kind than expected"
