"""What a face looks like and how it moves, in numbers that nobody trained: LBP-TOP, HOG and optical-flow histograms.

LBP-TOP: Zhao & Pietikäinen, "Dynamic texture recognition using local binary patterns", 2007. HOG: Dalal & Triggs, 2005.
Flow histograms: Laptev et al., "Learning realistic human actions from movies", 2008, on the dense inverse search of
Kroeger et al. 2016. All of them take a volume of grey crops and give one vector, each block of it with the sum 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DferError
from dfer_ros.core.faces import FloatArray, Image

SIDE = 64
"""Side in pixels of the grey crops, whose middle 80 of 128 pixels hold the face."""
GRID = 4
"""Blocks a side, over which histograms are taken."""
_FACE = slice(24, 104)
_PATTERNS = 59
_DIRECTIONS = 8
_STILL_PIXELS = 0.05
"""Flow that is shorter is noise."""

Grey = npt.NDArray[np.uint8]


def grey_volume(crops: Sequence[Image]) -> Grey:
    """Return the faces in aligned crops [128, 128, 3] uint8 BGR as a volume [F, 64, 64] of grey values."""
    faces = [cv2.cvtColor(np.ascontiguousarray(crop[_FACE, _FACE]), cv2.COLOR_BGR2GRAY) for crop in crops]
    return np.stack([cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in faces])


def lbp_top(volume: Grey) -> FloatArray:
    """Return the uniform patterns [3 * 16 * 59] of a volume [F, 64, 64] in its planes XY, XT and YT, F at least 3."""
    from skimage.feature import local_binary_pattern

    parts = []
    for axis in range(3):
        # Each slice along an axis is an image of the other two; the time of XT and YT is its first one.
        planes = np.moveaxis(volume, axis, 0)
        patterns = np.stack([local_binary_pattern(plane, 8, 1, "nri_uniform") for plane in planes])
        parts.append(_block_histograms(np.moveaxis(patterns, 0, axis).astype(np.int64)))
    return np.concatenate(parts)


def hog(volume: Grey) -> FloatArray:
    """Return the mean over the frames of the histograms of oriented gradients [1764] of a volume [F, 64, 64]."""
    from skimage.feature import hog as gradients

    rows = [gradients(frame, 9, (8, 8), (2, 2), feature_vector=True) for frame in _some(volume)]
    mean: FloatArray = np.mean(rows, axis=0).astype(np.float32)
    return mean


def flow_histogram(volume: Grey) -> FloatArray:
    """Return where and in which direction a face moves [16 * 9], from the first frame of a volume [F, 64, 64] on.

    Of each block: the share of the motion in each of eight directions, by its length, and the mean length in pixels.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    rows = [_flow_blocks(flow.calc(volume[0], np.ascontiguousarray(frame), None)) for frame in _some(volume)[1:]]
    mean: FloatArray = np.mean(rows or [np.zeros(GRID * GRID * (_DIRECTIONS + 1), np.float32)], axis=0).astype(
        np.float32
    )
    return mean


DESCRIPTORS: Mapping[str, Callable[[Grey], FloatArray]] = {
    "LBP-TOP": lbp_top,
    "HOG": hog,
    "flow histogram": flow_histogram,
}


def describe(volume: Grey, names: Sequence[str] = tuple(DESCRIPTORS)) -> FloatArray:
    """Return descriptors, by their names in DESCRIPTORS, of a volume [F, 64, 64] in one vector.

    Raises DferError where scikit-image is missing, which LBP-TOP and HOG need.
    """
    while len(volume) < 3:
        volume = np.concatenate([volume, volume[-1:]])
    try:
        return np.concatenate([DESCRIPTORS[name](volume) for name in names])
    except ModuleNotFoundError as error:
        raise DferError(
            f"Handcrafted descriptors need {error.name}: install it with 'pip install scikit-image'."
        ) from error


def _some(volume: Grey, most: int = 8) -> Grey:
    """Return at most so many frames, the first and the last among them."""
    return volume[np.unique(np.linspace(0, len(volume) - 1, most).round().astype(int))]


def _block_histograms(patterns: npt.NDArray[np.int64]) -> FloatArray:
    """Return the histogram of each of 4x4 blocks of patterns [F, 64, 64], over all frames."""
    block = SIDE // GRID
    rows, columns = np.indices((SIDE, SIDE)) // block
    index = (rows * GRID + columns)[None] * _PATTERNS + patterns
    counts = np.bincount(index.ravel(), minlength=GRID * GRID * _PATTERNS).astype(np.float32)
    per_block = len(patterns) * block * block
    return counts / per_block


def _flow_blocks(flow: FloatArray) -> FloatArray:
    flow = flow - np.median(flow.reshape(-1, 2), axis=0)
    length = np.hypot(flow[..., 0], flow[..., 1])
    length[length < _STILL_PIXELS] = 0.0
    turns = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1.0
    direction = np.minimum((turns * _DIRECTIONS).astype(int), _DIRECTIONS - 1)
    block = SIDE // GRID
    rows, columns = np.indices(length.shape) // block
    index = (rows * GRID + columns) * _DIRECTIONS + direction
    sums = np.bincount(index.ravel(), length.ravel(), GRID * GRID * _DIRECTIONS).reshape(-1, _DIRECTIONS)
    total = sums.sum(axis=1, keepdims=True)
    shares = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return np.hstack([shares, total / block**2]).astype(np.float32).ravel()
