"""Two answers to one recording, brought together: frames by their stamps, faces by where they are, never by their ids.

In every frame both sides name boxes. How much two faces overlap, added up over all frames, says who is who: an optimal
assignment (Hungarian method) of the faces of one side to those of the other. A person whose id changes on one side has
several faces there, so what is left over is assigned again, until nothing overlaps any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from dfer_ros.recordings.emotion_track import Floats, RecordedEmotions

_SAME_STAMP = 1e-3
"""Seconds by which two stamps of one frame may differ."""
_LEAST_IOU = 0.3
"""Overlap of two boxes of one face; those of MediaPipe and YuNet overlap by 0.66 to 0.79 at the median of a clip."""

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answers:
    """All N answers of a recording in one row, track after track, one for each face and frame.

    tracks: [N] index into recording.tracks. frames: [N] number of the frame, the same on both sides.
    boxes: [N, 4] x, y, width, height in pixels. The others as in EmotionTrack.
    """

    recording: RecordedEmotions
    tracks: Indices
    frames: Indices
    stamps: Floats
    boxes: Floats
    states: Indices
    probabilities: Floats
    confidences: Floats
    valence: Floats
    arousal: Floats

    def __len__(self) -> int:
        return len(self.tracks)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The M pairs of answers about the same face in the same frame, by time.

    old, new: [M] index into the answers of each side; none occurs twice. ious: [M] overlap of their boxes, 0..1.
    """

    old: Indices
    new: Indices
    ious: Floats

    def __len__(self) -> int:
        return len(self.old)


def align_answers(old: RecordedEmotions, new: RecordedEmotions) -> tuple[Answers, Answers]:
    """Return the answers of both sides; frames whose stamps agree have the same number."""
    stamps = np.unique(np.concatenate([old.stamps, new.stamps]))
    numbers = np.cumsum(np.diff(stamps, prepend=-np.inf) > _SAME_STAMP, dtype=np.int64)
    return _answers(old, stamps, numbers), _answers(new, stamps, numbers)


def _answers(recording: RecordedEmotions, stamps: Floats, numbers: Indices) -> Answers:
    tracks = np.concatenate([np.full(len(track), index) for index, track in enumerate(recording.tracks)])
    rows = {
        name: np.concatenate([getattr(track, name) for track in recording.tracks])
        for name in ("stamps", "rois", "states", "probabilities", "confidences", "valence", "arousal")
    }
    frames = numbers[np.searchsorted(stamps, rows["stamps"])]
    # A recording that was played in a loop answers a frame more than once: the first answer counts.
    _, first = np.unique(np.stack([tracks, frames]), axis=1, return_index=True)
    return Answers(
        recording=recording,
        tracks=tracks[first],
        frames=frames[first],
        stamps=rows["stamps"][first],
        boxes=rows["rois"][first].astype(np.float64),
        states=rows["states"][first],
        probabilities=rows["probabilities"][first],
        confidences=rows["confidences"][first],
        valence=rows["valence"][first],
        arousal=rows["arousal"][first],
    )


def meetings(old: Answers, new: Answers) -> Pairs:
    """Return every pair of an old and a new answer in one frame, whether their boxes overlap or not."""
    by_frame = np.argsort(new.frames, kind="stable")
    begins, ends = (np.searchsorted(new.frames[by_frame], old.frames, side) for side in ("left", "right"))
    counts = ends - begins
    first = np.repeat(np.arange(len(old)), counts)
    # 0, 1, 2 ... within the answers of each old one.
    steps = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    second = by_frame[np.repeat(begins, counts) + steps]
    return Pairs(first, second, iou(old.boxes[first], new.boxes[second]))


def match_faces(old: Answers, new: Answers, met: Pairs) -> Pairs:
    """Return which of the meetings are those of a face with itself."""
    candidates = np.flatnonzero(met.ious >= _LEAST_IOU)
    chosen: list[Indices] = []
    while len(candidates):
        first, second = old.tracks[met.old[candidates]], new.tracks[met.new[candidates]]
        overlap = np.zeros((len(old.recording.tracks), len(new.recording.tracks)))
        np.add.at(overlap, (first, second), met.ious[candidates])
        partner = np.full(len(overlap), -1)
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        partner[rows] = columns
        taken = candidates[partner[first] == second]
        chosen.append(taken)
        free = ~np.isin(met.old[candidates], met.old[taken]) & ~np.isin(met.new[candidates], met.new[taken])
        candidates = candidates[free]
    indices = np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
    indices = indices[np.argsort(old.stamps[met.old[indices]], kind="stable")]
    return Pairs(met.old[indices], met.new[indices], met.ious[indices])


def iou(first: Floats, second: Floats) -> Floats:
    """Return the intersection over union (0..1) [N] of boxes [N, 4] and [N, 4], row by row; 0 where they are empty."""
    begin = np.maximum(first[:, :2], second[:, :2])
    end = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    overlap = np.clip(end - begin, 0, None).prod(axis=1)
    union = first[:, 2:].prod(axis=1) + second[:, 2:].prod(axis=1) - overlap
    shares: Floats = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return shares
