"""Tracks faces from frame to frame, so that each keeps its id: by motion, overlap and optimal assignment.

All is in seconds and pixels. Tracking libraries were measured against a budget of 0.5 ms a frame and count time in
frames; a robot's camera drops frames, so this tracker counts in seconds. The scheme is SORT's (Bewley et al. 2016) with
the overlap measure DIoU (Zheng et al. 2020), which still tells near from far where two boxes no longer touch.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import lap
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DferError
from dfer_ros.core.faces import Detection, FloatArray
from dfer_ros.core.parameter import parameter

_Array = npt.NDArray[np.float64]
"""Wide enough that no box, however far off, makes an overlap that is not a number."""
_LEAST_DIOU = -0.2
"""About one width of the face between where it was expected and where it is."""
_VELOCITY_GAIN = 0.5
_PREFIX = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*_?", re.ASCII)
_LONGEST_PREFIX = 32
_SHORTEST_INTERVAL = 1e-3
"""Seconds between two frames below which stamps say nothing about a velocity."""
_LONGEST_PREDICTION = 0.5
"""Seconds for which a velocity is trusted; a face that stays away longer waits where it would then have been."""


@dataclass(frozen=True)
class TrackerConfig:
    """When a face gets an id, and what the id looks like.

    id_prefix, id_stem: what an id begins with, before a number that counts faces: `left_face1`. Ids are parts of topic
    names (REP-155): the prefix is empty or a letter followed by letters, digits and single underscores, at most 32.
    Raises DferError where it is not.
    """

    confirm_frames: int = parameter(
        3, "Consecutive frames before a face gets an id.", "frames", 1, 100, changeable=True
    )
    lost_seconds: float = parameter(1.0, "How long the id of an unseen face is kept.", "s", 0.0, 60.0, changeable=True)
    full_look_rate: float = parameter(
        7.0,
        "How often the whole image is looked at for somebody new; between, known faces are looked for where they were.",
        "Hz",
        0.1,
        240.0,
        changeable=True,
    )
    id_prefix: str = parameter("", "Prefix of every face id, a letter first; keeps the ids of several cameras apart.")
    id_stem: str = "face"

    def __post_init__(self) -> None:
        wrong = self.id_prefix and (len(self.id_prefix) > _LONGEST_PREFIX or not _PREFIX.fullmatch(self.id_prefix))
        if wrong:
            raise DferError(
                f"'id_prefix' must be empty or a letter followed by letters, digits and single underscores, at most "
                f"{_LONGEST_PREFIX} of them, as it becomes part of topic names, not '{self.id_prefix}'."
            )


def random_id_stem() -> str:
    """Return three random letters that start face ids, so that no other detector, nor a later run, gives the same id.

    REP-155 asks for unique, short ids and suggests random ones; consonants alone spell no words.
    """
    return "".join(random.choices("bcdfghjklmnpqrstvwxz", k=3))


@dataclass(eq=False)
class _Track:
    detection: Detection
    box: _Array
    velocity: _Array
    seen_at: float
    hits: int = 1
    id: str = ""

    def box_at(self, stamp: float) -> _Array:
        box = self.box.copy()
        box[:2] += self.velocity * min(stamp - self.seen_at, _LONGEST_PREDICTION)
        return box

    def detection_at(self, stamp: float) -> Detection:
        shift = (self.box_at(stamp) - self.box)[:2].astype(np.float32)
        seen = self.detection
        return replace(
            seen, box=seen.box + np.append(shift, (0, 0)).astype(np.float32), landmarks=seen.landmarks + shift
        )

    def observe(self, detection: Detection, box: _Array, stamp: float) -> None:
        elapsed = stamp - self.seen_at
        if elapsed > 0:
            centre_shift = (box[:2] + box[2:] / 2) - (self.box[:2] + self.box[2:] / 2)
            self.velocity += _VELOCITY_GAIN * (centre_shift / max(elapsed, _SHORTEST_INTERVAL) - self.velocity)
        self.detection, self.box, self.seen_at = detection, box, stamp
        self.hits += 1


class Tracker:
    """Gives every face an id that outlives short misses and crossings. Stamps must not decrease: see reset()."""

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._tracks: list[_Track]
        self._ids_given = 0
        self.reset()

    @property
    def config(self) -> TrackerConfig:
        """The configuration of the next image."""
        return self._config

    def configure(self, config: TrackerConfig) -> None:
        """Take over a configuration from the next image on. Faces that have an id keep it, whatever changes."""
        self._config = config

    def reset(self) -> None:
        """Forget every face; ids are not used again."""
        self._tracks = []
        self._interval = math.inf
        self._last_stamp = -math.inf

    def expected(self, stamp: float) -> list[Detection] | None:
        """Return where the faces should be at a time in seconds, in the order in which they were seen last.

        None where this is unreliable: a face has no id yet, was missed, or overlaps another, or no image came for long.
        """
        if self._is_gap(stamp - self._last_stamp):
            return None
        if any(not track.id or track.seen_at != self._last_stamp for track in self._tracks):
            return None
        expected = [track.detection_at(stamp) for track in self._tracks]
        return None if _overlap([detection.box for detection in expected]) else expected

    def named(self, detections: Sequence[Detection]) -> list[tuple[str, Detection]]:
        """Return detections of the faces that expected() gave, in its order, with their ids; none is taken in."""
        return [(track.id, detection) for track, detection in zip(self._tracks, detections)]

    def update(self, detections: Sequence[Detection], stamp: float) -> list[tuple[str, Detection]]:
        """Return the detections that belong to confirmed faces, with their ids.

        detections: the faces of one image. stamp: its time in seconds, not before the last one.
        """
        self._forget_across_a_gap(stamp)
        boxes = [detection.box.astype(np.float64) for detection in detections]
        matches = self._assign(boxes, stamp)
        confirmed = []
        seen: list[_Track] = []
        for box, detection, track in zip(boxes, detections, matches):
            if track is None:
                track = _Track(detection, box, np.zeros(2), stamp)
            else:
                track.observe(detection, box, stamp)
            seen.append(track)
            if track.id or track.hits >= self._config.confirm_frames:
                track.id = track.id or self._next_id()
                confirmed.append((track.id, detection))
        missed = [track for track in self._tracks if track not in seen and self._is_kept(track, stamp)]
        self._tracks = missed + seen
        return confirmed

    def _forget_across_a_gap(self, stamp: float) -> None:
        """Forget every face after a time without any frame; a steady rate below 1 / lost_seconds is no such time."""
        gap = stamp - self._last_stamp
        if self._is_gap(gap):
            self._tracks = []
        self._interval, self._last_stamp = gap, stamp

    def _is_gap(self, seconds: float) -> bool:
        return seconds > max(self._config.lost_seconds, 1.5 * self._interval)

    def _is_kept(self, track: _Track, stamp: float) -> bool:
        return bool(track.id) and stamp - track.seen_at <= self._config.lost_seconds

    def _assign(self, boxes: list[_Array], stamp: float) -> list[_Track | None]:
        """Return for every box the track that it continues, or None."""
        matches: list[_Track | None] = [None] * len(boxes)
        if not boxes or not self._tracks:
            return matches
        expected = np.stack([track.box_at(stamp) for track in self._tracks])
        overlap = diou(expected, np.stack(boxes))
        for row, column in best_pairs(overlap):
            if overlap[row, column] >= _LEAST_DIOU:
                matches[column] = self._tracks[row]
        return matches

    def _next_id(self) -> str:
        self._ids_given += 1
        return f"{self._config.id_prefix}{self._config.id_stem}{self._ids_given}"


def best_pairs(gain: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of the greatest gain in all; no row or column is in two of them.

    gain: [N, M], finite, of any scale. min(N, M) pairs come back, by row, whatever they gain.
    The solver of SciPy would take a third of the time that a node needs to start, for what it imports beside. This one
    (Jonker and Volgenant 1987) takes a million for infinite: hence the scale.
    """
    if not gain.size:
        return []
    largest = np.abs(gain).max() or 1.0
    _, columns, _ = lap.lapjv(gain / -largest, extend_cost=True)
    return [(row, column) for row, column in enumerate(columns.tolist()) if column >= 0]


def _overlap(boxes: Sequence[FloatArray]) -> bool:
    """Return whether any two boxes touch."""
    if len(boxes) < 2:
        return False
    start = np.stack(boxes)[:, :2]
    end = start + np.stack(boxes)[:, 2:]
    touching = ((start[:, None] < end[None]) & (start[None] < end[:, None])).all(axis=-1)
    return bool(touching.sum() > len(boxes))


def diou(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> _Array:
    """Return the distance-IoU (-1..1) [N, M] of boxes [N, 4] and [M, 4], each x, y, width, height in pixels."""
    a, b = first.astype(np.float64)[:, None], second.astype(np.float64)[None]
    a_end, b_end = a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]
    overlap = np.clip(np.minimum(a_end, b_end) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=-1)
    union = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - overlap
    enclosing = np.maximum(a_end, b_end) - np.minimum(a[..., :2], b[..., :2])
    centre_shift = (a[..., :2] + a_end - b[..., :2] - b_end) / 2
    diagonal = (enclosing**2).sum(axis=-1)
    result: _Array = overlap / np.maximum(union, 1e-6) - (centre_shift**2).sum(axis=-1) / np.maximum(diagonal, 1e-6)
    return result
