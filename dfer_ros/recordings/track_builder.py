"""Answers, collected one by one in little memory and turned into tracks."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np

from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import LABELS
from dfer_ros.recordings.emotion_track import STATES, EmotionTrack, Floats

_PROBABILITIES = slice(12, 12 + len(LABELS))
_COLUMNS = _PROBABILITIES.stop
_HEAD_POSE = slice(_COLUMNS, _COLUMNS + 3)
UNKNOWN_HEAD_POSE = (math.nan,) * 3
_TOLERANCE = 0.01
"""By how much rounded numbers may leave their range, and probabilities miss their sum."""
_HALF_TURN = 180.1
"""Degrees, rounded up."""
_LARGEST = 2.0**53


class TrackBuilder:
    """The answers of a recording by person, in the order in which they come."""

    def __init__(self) -> None:
        self._rows: dict[str, array[float]] = {}

    def add(self, face_id: str, row: Sequence[float], head_pose: Sequence[float] = UNKNOWN_HEAD_POSE) -> None:
        """Add an answer about a person.

        row: stamp (seconds), frame, x, y, width and height of the face (pixels), index into STATES, index into PHASES,
        confidence, valence, arousal, intensity, and the probabilities in the order of labels.LABELS.
        head_pose: roll, pitch and yaw in degrees, as in HeadPose.
        Raises TypeError, ValueError or OverflowError where these are not all numbers, or not as many, or where the
        face id is no text that can be shown.
        """
        if not isinstance(face_id, str):
            raise TypeError("a face id is a text")
        if not face_id.isprintable():
            raise ValueError("a face id has letters that cannot be shown")
        if len(row) != _COLUMNS:
            raise ValueError(f"an answer has {_COLUMNS} numbers, not {len(row)}")
        numbers = array("d", (*row, *head_pose))
        if face_id in self._rows:
            self._rows[face_id] += numbers
        else:
            self._rows[face_id] = numbers

    def tracks(self) -> tuple[tuple[EmotionTrack, ...], int]:
        """Return a track of each person, the longest first, and how many answers were left out as impossible."""
        tracks, left_out = [], 0
        for face_id, numbers in self._rows.items():
            rows = np.frombuffer(numbers).reshape(-1, _HEAD_POSE.stop)
            sound = _sound(rows)
            left_out += int((~sound).sum())
            rows = rows[sound]
            if len(rows):
                tracks.append(_track(face_id, rows[np.argsort(rows[:, 0], kind="stable")]))
        return tuple(sorted(tracks, key=lambda track: (-len(track), track.stamps[0], track.face_id))), left_out


def _sound(rows: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows [N, _HEAD_POSE.stop] hold numbers that an answer can have."""
    with np.errstate(invalid="ignore"):
        probabilities = rows[:, _PROBABILITIES]
        shares = rows[:, [8, 11, *range(_PROBABILITIES.start, _COLUMNS)]]
        in_range = ((shares >= -_TOLERANCE) & (shares <= 1 + _TOLERANCE)).all(axis=1)
        in_range &= ~(np.abs(rows[:, _HEAD_POSE]) > _HALF_TURN).any(axis=1)
        in_range &= (np.abs(rows[:, 9:11]) <= 1 + _TOLERANCE).all(axis=1)
        in_range &= np.abs(probabilities.sum(axis=1) - 1) <= _TOLERANCE * len(LABELS)
        in_range &= (rows[:, 6] < len(STATES)) & (rows[:, 7] < len(PHASES)) & (rows[:, 6:8] >= 0).all(axis=1)
    sound: np.ndarray[tuple[int], np.dtype[np.bool_]] = in_range & (np.abs(rows[:, :_COLUMNS]) < _LARGEST).all(axis=1)
    return sound


def _track(face_id: str, rows: Floats) -> EmotionTrack:
    whole = rows[:, 1:8].astype(np.int64)
    return EmotionTrack(
        face_id=face_id,
        stamps=rows[:, 0],
        frames=whole[:, 0],
        rois=whole[:, 1:5],
        states=whole[:, 5],
        phases=whole[:, 6],
        confidences=rows[:, 8],
        valence=rows[:, 9],
        arousal=rows[:, 10],
        intensity=rows[:, 11],
        probabilities=rows[:, _PROBABILITIES],
        head_poses=rows[:, _HEAD_POSE],
    )
