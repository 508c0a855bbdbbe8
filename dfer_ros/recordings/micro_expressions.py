"""Micro-expressions: faint movements of a calm face that are over within half a second.

Where: at each frame, the optical flow from the face a moment before, less the flow from there to the face a moment
after. What comes and goes within that time stays; what stays moved, as a smile or a turned head, takes itself away
(main directional maximal difference, Wang et al. 2017). The flow of the whole face is taken off, and the eyes are left
out, whose blinks are as short. A peak counts that rises `threshold` times above what is usual for this person within
the same minute. Onset and offset are where the motion has `foot` of the size that it has at the apex.

What: how the recogniser's probabilities at the apex differ from those of the same person while calm; a label is given
only where one expression rises by `least_rise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import EXPRESSIONS, NEUTRAL, UNKNOWN

GOOD_RATE = 60.0
"""Frames a second from which on the shortest micro-expressions have several frames."""
SLOWEST_RATE = 20.0
"""Below, most of them fall between two frames."""
STRETCH_SECONDS = 60.0
"""What is usual for a person is judged anew for each stretch of this length, so that memory does not grow."""
SIDE = 96
"""Side in pixels of the grey faces."""
_ROWS, _COLUMNS = slice(20, 80), slice(22, 74)
"""From forehead to chin and from cheek to cheek."""
_EYES = slice(12, 25)
"""Of these rows, those of the eyes: blinks."""
_STRONGEST = 0.05
"""Share of the pixels, those that move most, whose motion counts."""
_STILL = 70
"""Percentage of the pixels that the motion of the whole face is fitted to: those that move least."""
_NOISE_PIXELS = 0.03
_SLACK_FRAMES = 1.5
"""By how much the moment before and the moment after may be missed; where a face was not seen, more is missing."""

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MicroConfig:
    """shortest, longest: seconds from onset to offset. threshold: see above, in median absolute deviations.

    foot: 0..1, see above. least_rise: 0..1, of a probability, see above.
    """

    shortest: float = 0.04
    longest: float = 0.5
    threshold: float = 6.0
    foot: float = 0.15
    least_rise: float = 0.25


@dataclass(frozen=True)
class MicroExpression:
    """onset, apex, offset: seconds. strength: of the motion at the apex, in the unit of the threshold.

    expression: a REP-155 name, unknown where it is not sure. rise: 0..1, of its probability over the calm face.
    """

    onset: float
    apex: float
    offset: float
    strength: float
    expression: str = UNKNOWN
    rise: float = 0.0


class MicroSpotter:
    """Finds the micro-expressions of one person, who is shown to it frame by frame."""

    def __init__(self, config: MicroConfig | None = None) -> None:
        self._config = config or MicroConfig()
        self._stamps: list[float] = []
        self._faces: list[Grey] = []
        self._probabilities: list[FloatArray] = []
        self._told = -np.inf

    def add(self, stamp: float, crop: Image, probabilities: FloatArray) -> list[MicroExpression]:
        """Take the next frame and return what was found in a stretch that is full; mostly nothing.

        stamp: seconds, rising. crop: [128, 128, 3] uint8 BGR, aligned. probabilities: [7], of this frame alone.
        """
        self._stamps.append(stamp)
        self._faces.append(grey_face(crop))
        self._probabilities.append(probabilities)
        return self._find_new(2 * self._config.longest) if stamp - self._stamps[0] > STRETCH_SECONDS else []

    def finish(self) -> list[MicroExpression]:
        """Return what was found since."""
        return self._find_new(0.0)

    def _find_new(self, kept_seconds: float) -> list[MicroExpression]:
        """Judge what is held, but leave the end, which the next stretch sees whole, to that one."""
        if not self._stamps:
            return []
        stamps = np.array(self._stamps)
        found = find_micro_expressions(self._faces, stamps, np.array(self._probabilities), self._config)
        end = stamps[-1] - kept_seconds / 2
        new = [one for one in found if one.onset > self._told and one.apex <= end]
        self._told = max([self._told, *(one.offset for one in new)])
        first = int(np.searchsorted(stamps, stamps[-1] - kept_seconds))
        for held in (self._stamps, self._faces, self._probabilities):
            del held[:first]
        return new


def grey_face(crop: Image) -> Grey:
    """Return the face [96, 96] in an aligned crop [128, 128, 3] uint8 BGR, in grey and without its finest noise."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return cv2.GaussianBlur(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), (3, 3), 0)


def find_micro_expressions(
    faces: Sequence[Grey],
    stamps: Floats,
    probabilities: FloatArray,
    config: MicroConfig,
    signal: Floats | None = None,
) -> list[MicroExpression]:
    """Return the micro-expressions of one person, by time.

    faces: F of grey_face. stamps: [F] seconds, rising. probabilities: [F, 7] of single frames, calibrated.
    signal: of motion_signal, where it is known.
    """
    signal = motion_signal(faces, stamps, config) if signal is None else signal
    peaks = _peaks(signal, faces, stamps, config)
    calm = np.ones(len(stamps), dtype=bool)
    for onset, _, offset, _ in peaks:
        calm[onset : offset + 1] = False
    return [_named(peak, stamps, probabilities, calm, config) for peak in peaks]


def motion_signal(faces: Sequence[Grey], stamps: Floats, config: MicroConfig) -> Floats:
    """Return how much comes and goes around each frame [F], in pixels; 0 where what is before or after is not known."""
    before, after, known = _surroundings(stamps, config)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    signal = np.zeros(len(faces))
    for index in np.flatnonzero(known).tolist():
        start = faces[before[index]]
        there = _of_the_face(flow.calc(start, faces[index], None))
        beyond = _of_the_face(flow.calc(start, faces[after[index]], None))
        signal[index] = _strongest(there, there - beyond)
    return signal


_Peak = tuple[int, int, int, float]
"""Onset, apex and offset as indices of frames, and the strength."""


def _peaks(signal: Floats, faces: Sequence[Grey], stamps: Floats, config: MicroConfig) -> list[_Peak]:
    known = signal > 0
    if known.sum() < 3:
        return []
    usual = float(np.median(signal[known]))
    spread = max(float(np.median(np.abs(signal[known] - usual))), _NOISE_PIXELS)
    height = (np.convolve(np.pad(signal, 1, mode="edge"), np.full(3, 1 / 3), mode="valid") - usual) / spread
    height[~known] = 0.0
    found: list[_Peak] = []
    taken = np.zeros(len(signal), dtype=bool)
    for apex in np.argsort(-height).tolist():
        if height[apex] < config.threshold:
            break
        if taken[apex]:
            continue
        onset, offset = _feet(apex, faces, stamps, config)
        seconds = float(stamps[offset] - stamps[onset])
        if not taken[onset : offset + 1].any() and config.shortest <= seconds <= config.longest:
            found.append((onset, apex, offset, float(height[apex])))
        around = np.abs(stamps - stamps[apex]) <= config.longest / 2
        taken[around] = True
        taken[onset : offset + 1] = True
    return sorted(found)


def _feet(apex: int, faces: Sequence[Grey], stamps: Floats, config: MicroConfig) -> tuple[int, int]:
    """Return between which frames the face moves as at the apex, by at least `foot` of that.

    The motion at each frame is projected on that at the apex: other motion and noise, which have other patterns, drop
    out.
    """
    around = np.flatnonzero(np.abs(stamps - stamps[apex]) <= config.longest)
    calm = faces[int(np.searchsorted(stamps, stamps[apex] - config.longest / 2))]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pattern = _without_eyes(_of_the_face(flow.calc(calm, faces[apex], None)))
    motions = (_without_eyes(_of_the_face(flow.calc(calm, faces[index], None))) for index in around)
    size = np.array([float((motion * pattern).sum()) for motion in motions]) / max(float((pattern**2).sum()), 1e-9)
    here = int(np.flatnonzero(around == apex)[0])
    before, after = np.flatnonzero(size[:here] < config.foot), np.flatnonzero(size[here:] < config.foot)
    onset = int(before[-1]) if len(before) else 0
    offset = here + int(after[0]) if len(after) else len(around) - 1
    return int(around[onset]), int(around[offset])


def _named(
    peak: _Peak, stamps: Floats, probabilities: FloatArray, calm: npt.NDArray[np.bool_], config: MicroConfig
) -> MicroExpression:
    onset, apex, offset, strength = peak
    base = probabilities[calm if calm.any() else slice(None)].mean(axis=0)
    middle = slice(max(onset, apex - 1), min(offset, apex + 1) + 1)
    rise = probabilities[middle].mean(axis=0) - base
    rise[NEUTRAL] = -1.0
    best = int(rise.argmax())
    name = EXPRESSIONS[best] if rise[best] >= config.least_rise else UNKNOWN
    begin, middle_stamp, end = stamps[[onset, apex, offset]].tolist()
    return MicroExpression(begin, middle_stamp, end, strength, name, float(max(rise[best], 0.0)))


def _surroundings(
    stamps: Floats, config: MicroConfig
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the frames half of `longest` before and after each frame, and whether there are such frames [F] each."""
    half = config.longest / 2
    last = len(stamps) - 1
    before = np.clip(np.searchsorted(stamps, stamps - half), 0, last)
    after = np.clip(np.searchsorted(stamps, stamps + half), 0, last)
    slack = _SLACK_FRAMES * float(np.median(np.diff(stamps))) if last > 0 else 0.0
    known = np.abs(stamps - stamps[before] - half) <= slack
    known &= np.abs(stamps[after] - stamps - half) <= slack
    return before, after, known


def _strongest(there: FloatArray, change: FloatArray) -> float:
    """Return the length of the motion [H, W, 2] that is there in the middle and not at the end, where it is longest."""
    # No more than what moved at all: a face that jumps at the end did nothing in the middle.
    lengths = _without_eyes(np.minimum(np.hypot(*np.moveaxis(change, -1, 0)), np.hypot(*np.moveaxis(there, -1, 0))))
    most = max(1, round(_STRONGEST * lengths.size))
    return float(np.partition(lengths.ravel(), -most)[-most:].mean())


def _without_eyes(motion: FloatArray) -> FloatArray:
    motion[_EYES] = 0.0
    return motion


def _of_the_face(flow: FloatArray) -> FloatArray:
    """Return the flow inside the face [60, 52, 2], less that of the face as a whole: an affine motion, fitted to it."""
    inside = flow[_ROWS, _COLUMNS]
    target = inside.reshape(-1, 2)
    distance = np.hypot(*(target - np.median(target, axis=0)).T)
    kept = distance <= np.percentile(distance, _STILL)
    whole, *_ = np.linalg.lstsq(_PLACES[kept], target[kept], rcond=None)
    rest: FloatArray = (target - _PLACES @ whole).reshape(inside.shape)
    return rest


def _places() -> FloatArray:
    rows, columns = np.indices((_ROWS.stop - _ROWS.start, _COLUMNS.stop - _COLUMNS.start))
    return np.stack([rows.ravel(), columns.ravel(), np.ones(rows.size)], axis=1).astype(np.float32)


_PLACES = _places()
"""Row, column and 1 of each pixel of the face [60 * 52, 3]."""
