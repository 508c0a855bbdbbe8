"""Whether two files of answers are about the same recording, which neither of them names.

The limits were measured on 58 clips: 57 of the data sets MEAD, FEID, CK+ and others, and the demo clip. The boxes that
MediaPipe and YuNet find in one clip overlap by 0.66 to 0.79 (median over its frames), and where a face moves, its
places correlate by 0.53 or more; with one detector the boxes are equal. Of the 1653 pairs of different clips four in
five are refused. Those that are not show faces at the same place at the same time: most that are longer than 30 frames
are in doubt, with one detector.
"""

from __future__ import annotations

import numpy as np

from dfer_ros.comparison.matching import Answers, Pairs
from dfer_ros.core.errors import DataError
from dfer_ros.recordings.emotion_track import Floats

_LEAST_COMMON = 0.3
"""Share of the frames of one side that the other must name as well; 25 and 30 Hz share one frame in five."""
_LEAST_OVERLAP = 0.4
_EQUAL_DETECTORS = 0.82
"""Overlap above which boxes come from one detector, which gives the same box for the same frame."""
_LEAST_EQUAL = 0.1
_LEAST_FRAMES = 30
_LEAST_MOTION = 0.02
_LEAST_CORRELATION = 0.3


def check_same_recording(old: Answers, new: Answers, met: Pairs) -> None:
    """Raise DataError where stamps or places of faces are those of two recordings. met: see meetings()."""
    names = f"{old.recording.name} and {new.recording.name}"
    old_frames, new_frames = np.unique(old.frames), np.unique(new.frames)
    common = int(np.isin(old_frames, new_frames).sum())
    if common < _LEAST_COMMON * min(len(old_frames), len(new_frames)):
        spans = [f"{side.stamps.min():.2f} to {side.stamps.max():.2f} s" for side in (old, new)]
        raise DataError(
            f"{names} are not about the same recording: only {common} stamps agree, of {len(old_frames)} from "
            f"{spans[0]} and {len(new_frames)} from {spans[1]}."
        )
    best = np.zeros(int(old.frames.max()) + 1)
    np.maximum.at(best, old.frames[met.old], met.ious)
    overlap = float(np.median(best[np.unique(old.frames[met.old])]))
    if overlap < _LEAST_OVERLAP:
        raise DataError(
            f"{names} are not about the same recording: in frames of the same stamp their faces are in other places "
            f"(the boxes overlap by {overlap:.0%}; at least {_LEAST_OVERLAP:.0%} are expected)."
        )


def doubt_same_recording(old: Answers, new: Answers, pairs: Pairs) -> str:
    """Return a sentence where two recordings may have been compared that show faces at the same places, else ""."""
    if len(pairs) < _LEAST_FRAMES:
        return ""
    alike = float(np.median(pairs.ious)) > _EQUAL_DETECTORS and float((pairs.ious == 1).mean()) < _LEAST_EQUAL
    if not alike and not _moves_apart(old.boxes[pairs.old], new.boxes[pairs.new]):
        return ""
    return (
        "It is doubtful that both are about the same recording: the faces are at the same places, but do not move "
        "together."
    )


def _moves_apart(old: Floats, new: Floats) -> bool:
    """Return whether the faces [M, 4] of both sides move, but not together."""
    first, second = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (old, new))
    first, second = first - np.median(first, axis=0), second - np.median(second, axis=0)
    width = float(np.median(np.sqrt(old[:, 2:].prod(axis=1))))
    if width <= 0 or float(np.median(np.abs(first).max(axis=1))) < _LEAST_MOTION * width:
        return False
    spread = np.sqrt((first**2).sum() * (second**2).sum())
    return bool((first * second).sum() < _LEAST_CORRELATION * spread)
