"""What is known about a face in one image. Coordinates are pixels of that image, origin top left, x right, y down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""[height, width, 3] uint8, BGR."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Detection:
    """One face as a detector sees it.

    box: [4] float32, x and y of the top left corner, width, height; may reach beyond the image.
    landmarks: [4, 2] float32: the eye on the viewer's left, the other eye, nose tip, mouth centre.
    confidence: 0..1, the detector's score.
    """

    box: FloatArray
    landmarks: FloatArray
    confidence: float


@dataclass(frozen=True)
class SeenFace:
    """What the recognizer reads: one face of one frame.

    id: of the person. crop: [128, 128, 3] uint8 BGR, the aligned crop. quality: 0..1, how much it can tell.
    """

    id: str
    crop: Image
    quality: float


@dataclass(frozen=True)
class Face:
    """One confirmed face of one image.

    id: stable over the time the face is tracked, starts with a letter (REP-155).
    quality: 0..1, how much the crop can tell about the expression.
    aligned: [128, 128, 3] uint8 BGR, the aligned crop.
    """

    id: str
    detection: Detection
    quality: float
    aligned: Image

    @property
    def seen(self) -> SeenFace:
        """What the recognizer needs of it."""
        return SeenFace(self.id, self.aligned, self.quality)


def box_within(box: FloatArray, width: int, height: int) -> tuple[int, int, int, int]:
    """Return x, y, width, height in whole pixels of the part of a box [4] that lies in an image of width x height."""
    limits = (width, height, width, height)
    corners = np.clip(np.rint((box[0], box[1], box[0] + box[2], box[1] + box[3])), 0, limits).astype(int)
    left, top, right, bottom = corners.tolist()
    return left, top, right - left, bottom - top
