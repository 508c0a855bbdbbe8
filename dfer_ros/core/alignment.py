"""The aligned crop: where the landmarks of a face come to lie, whatever its place, size and roll in the image."""

from __future__ import annotations

import cv2
import numpy as np

from dfer_ros.core.faces import FloatArray, Image

ALIGNED_SIZE = 128
"""Side of the aligned crop in pixels, the size of REP-155."""

TEMPLATE = np.array([(0.36, 0.40), (0.64, 0.40), (0.50, 0.56), (0.50, 0.724)], dtype=np.float32)
"""Left eye (of the viewer), right eye, nose tip, mouth centre [4, 2], in fractions of the crop's side."""


def alignment_transform(landmarks: FloatArray, size: int = ALIGNED_SIZE) -> FloatArray:
    """Return the similarity [2, 3] float32 that takes image pixels to crop pixels.

    Rotation, uniform scale and shift that bring landmarks [4, 2] nearest to the template in the least squares
    sense, without reflection (Umeyama 1991; in the plane one complex factor). Landmarks that all fall on one
    point have no scale: they are only shifted.
    """
    return similarity(landmarks, TEMPLATE * size)


def similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the similarity [2, 3] float32 that brings points [N, 2] nearest to others: see alignment_transform()."""
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    z = (source - source_centre) @ np.array([1, 1j])
    w = (target - target_centre) @ np.array([1, 1j])
    spread = np.vdot(z, z).real
    factor = np.vdot(z, w) / spread if spread > 1e-6 else 1.0
    a, b = factor.real, factor.imag
    rotation = np.array([[a, -b], [b, a]])
    shift = target_centre - rotation @ source_centre
    return np.column_stack([rotation, shift]).astype(np.float32)


def align_face(image: Image, landmarks: FloatArray, size: int = ALIGNED_SIZE) -> Image:
    """Return the aligned crop [size, size, 3] of the face with these landmarks; black where it leaves the image."""
    return warp_closely(image, alignment_transform(landmarks, size), size, cv2.BORDER_CONSTANT)


def warp_closely(image: Image, transform: FloatArray, size: int, border: int) -> Image:
    """Return what a similarity [2, 3] brings into a square [size, size, 3], without aliasing; border: of OpenCV."""
    image, transform = _halve_until_close(image, transform, size)
    return cv2.warpAffine(image, transform, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def _halve_until_close(image: Image, transform: FloatArray, size: int) -> tuple[Image, FloatArray]:
    """Shrink the region of a large face by two until less than that is left: bilinear warping alone would alias."""
    while np.hypot(transform[0, 0], transform[1, 0]) < 0.5:
        corners = np.array([(0, 0, 1), (size, 0, 1), (0, size, 1), (size, size, 1)], dtype=np.float32)
        inverse = cv2.invertAffineTransform(transform)
        if not np.isfinite(inverse).all():
            break
        # Within the image before they become whole numbers, which have no room for a face that is far away.
        region = np.clip(corners @ inverse.T, 0, image.shape[1::-1])
        left, top = np.maximum(np.floor(region.min(axis=0)).astype(int) - 2, 0)
        right, bottom = np.ceil(region.max(axis=0)).astype(int) + 2
        part = image[top:bottom, left:right]
        if min(part.shape[:2]) < 4:
            break
        half_size = (part.shape[1] // 2, part.shape[0] // 2)
        scale_x, scale_y = part.shape[1] / half_size[0], part.shape[0] / half_size[1]
        image = cv2.resize(part, half_size, interpolation=cv2.INTER_AREA)
        # Pixel centres lie at half coordinates: x = scale * (x_half + 0.5) - 0.5 + left.
        to_full = np.array(
            [[scale_x, 0, 0.5 * scale_x - 0.5 + left], [0, scale_y, 0.5 * scale_y - 0.5 + top], [0, 0, 1]]
        )
        transform = (transform @ to_full).astype(np.float32)
    return image, transform
