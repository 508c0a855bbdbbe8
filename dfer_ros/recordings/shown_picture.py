"""The picture that a person sees: what a video stores is turned, mirrored, stretched and scaled as a player does it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from dfer_ros.core.faces import Image

_MATRIX = struct.Struct("=9i")
_MOST_STRETCHED = 4
"""Beyond it an aspect ratio of pixels is an error of its writer."""


@dataclass(frozen=True)
class Orientation:
    """transposed: rows and columns change places; then mirrored left to right and upside down, where told."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    def apply(self, image: Image) -> Image:
        """Return the upright picture of a stored one [H, W, 3]."""
        if self.transposed:
            image = cv2.transpose(image)
        if self.mirrored or self.flipped:
            image = cv2.flip(image, -1 if self.mirrored and self.flipped else int(self.mirrored))
        return image


def orientation_of(frame: Any) -> Orientation:
    """Return how the display matrix of a frame (PyAV) turns it: by quarters and with mirrors; other turns are none.

    The matrix (ISO 14496-12, 6.2.2) takes a point x, y of the stored picture to a x + c y, b x + d y.
    """
    data = next((bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), b"")
    if len(data) != _MATRIX.size:
        return Orientation()
    a, b, _, c, d = _MATRIX.unpack(data)[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def shown_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Return width and height in square pixels of a stored picture; its height stays, as in players."""
    if not pixel_aspect or not 1 / _MOST_STRETCHED <= pixel_aspect <= _MOST_STRETCHED:
        return width, height
    return max(1, round(width * pixel_aspect)), height


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture [H, W, 3] in a size (width, height): scaled as a whole, and black where it has another form."""
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR)
    if inner == size:
        return scaled
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    whole = np.zeros((size[1], size[0], 3), np.uint8)
    whole[top : top + inner[1], left : left + inner[0]] = scaled
    return whole
