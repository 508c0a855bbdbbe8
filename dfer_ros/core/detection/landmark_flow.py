"""Follows known faces by optical flow from one look of a detector, which always sees the whole image, to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.faces import Detection, FloatArray, Image

_SIDE = 96
"""Side in pixels to which the region of a face is brought."""
_REACH = 0.9
"""Half the side of the region, in sides of the box."""
_GRID = np.stack(np.meshgrid(np.linspace(0.15, 0.85, 6), np.linspace(0.15, 0.95, 6)), axis=-1).reshape(-1, 2)
"""Points of a face that are followed, in fractions of its box: their common motion is that of the landmarks."""
_WINDOW, _LEVELS = (15, 15), 2
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_WAY_BACK = 1.0
"""Pixels of the region within which a point must come back to where it was when it is followed backward."""
_OFF_COURSE = 0.8
"""Pixels of the region by which a point may differ from the common motion."""
_LEAST_SHARE = 0.9
"""Share of the points that must agree; fewer do when something comes before the face, it turns fast, or it speaks."""
_MOST_FACES = 5
"""With more, a look at the whole image is cheaper: it takes as long as five faces that are followed and remembered."""


@dataclass(frozen=True)
class _Patch:
    """The region of a face, grey [96, 96] uint8, and the scale and shift that lead there from pixels of the image."""

    pixels: npt.NDArray[np.uint8]
    scale: float
    shift: FloatArray

    def within(self, points: FloatArray) -> FloatArray:
        """Return points [N, 2] of the image in pixels of the region."""
        return (points * self.scale + self.shift).astype(np.float32)

    def outside(self, points: FloatArray) -> FloatArray:
        """Return points [N, 2] of the region in pixels of the image."""
        return ((points - self.shift) / self.scale).astype(np.float32)


class LandmarkFlow:
    """Follows faces by the Lucas-Kanade flow of points on them, checked forward and backward (Kalal et al. 2010).

    It moves what was detected last, and so takes over what the detector means by a landmark.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[Detection, _Patch]] = []

    def remember(self, image: Image, faces: Sequence[Detection]) -> None:
        """Take in an image [H, W, 3] uint8 BGR and all faces in it; what is needed of it is copied."""
        few = faces if len(faces) <= _MOST_FACES else ()
        self._seen = [(face, _cut(image, face, _region_side(face))) for face in few]

    def follow(self, image: Image, faces: Sequence[Detection]) -> list[Detection] | None:
        """Return the faces remembered where they are in a new image, in their order, each near where it is expected.

        faces: where they are expected. None: one is lost, or there are too many to be followed one by one.
        """
        if len(self._seen) != len(faces):
            return None
        found = []
        for (seen, before), expected in zip(self._seen, faces):
            now = _followed_face(seen, before, image, expected)
            if now is None:
                return None
            found.append(now)
        return found


def _region_side(face: Detection) -> float:
    return max(2.0 * _REACH * float(face.box[2:].max()), 1.0)


def _cut(image: Image, face: Detection, side: float) -> _Patch:
    """Return the region of a face, of this side in pixels of the image."""
    scale = _SIDE / side
    shift = (_SIDE / 2 - (face.box[:2] + face.box[2:] / 2) * scale).astype(np.float32)
    transform = np.array(((scale, 0, shift[0]), (0, scale, shift[1])), dtype=np.float32)
    part = cv2.warpAffine(image, transform, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _Patch(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), scale, shift)


def _followed_face(seen: Detection, before: _Patch, image: Image, expected: Detection) -> Detection | None:
    now = _cut(image, expected, _region_side(seen))
    start = before.within(seen.box[:2] + _GRID.astype(np.float32) * seen.box[2:])
    end = _flow(before.pixels, now.pixels, start)
    returned = _flow(now.pixels, before.pixels, end)
    steady = np.hypot(*(returned - start).T) < _WAY_BACK
    if steady.mean() < _LEAST_SHARE:
        return None
    motion, agreeing = cv2.estimateAffinePartial2D(
        start[steady], end[steady], method=cv2.RANSAC, ransacReprojThreshold=_OFF_COURSE
    )
    if motion is None or agreeing.sum() < _LEAST_SHARE * len(start):
        return None

    def moved(points: FloatArray) -> FloatArray:
        return now.outside(before.within(points) @ motion[:, :2].T + motion[:, 2])

    middle = moved((seen.box[:2] + seen.box[2:] / 2)[None])[0]
    size = seen.box[2:] * float(np.hypot(motion[0, 0], motion[1, 0]))
    return replace(
        seen, box=np.concatenate((middle - size / 2, size)).astype(np.float32), landmarks=moved(seen.landmarks)
    )


def _flow(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], points: FloatArray) -> FloatArray:
    """Return where points [N, 2] of a region are in another."""
    end, _, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points[:, None],
        None,
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_STOP,
    )
    moved: FloatArray = end[:, 0]
    return moved
