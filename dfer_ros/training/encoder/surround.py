"""What surrounds the face: one treatment for every data set, in training and on the robot.

Half of the training stills are black outside the face and no camera's image is. An encoder that sees the difference
learns it instead of the face. So the same part of every aligned crop is shown, and black surrounds are filled during
training.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import Image

ELLIPSE_CENTRE = (64.0, 68.0)
ELLIPSE_SEMI_AXES = (46.0, 58.0)
"""Pixels of the aligned crop: an ellipse that holds brows, cheeks and chin under the template of core.alignment."""
_EDGE_PIXELS = 4.0
_BLACK = 12


@dataclass(frozen=True)
class SurroundConfig:
    """crop: side in pixels of the central part of the aligned crop that the encoder sees.

    ellipse: whether the encoder blanks what lies outside ELLIPSE_SEMI_AXES. fill: probability 0..1 with which a black
    surround of a training still is filled.
    """

    crop: int = 88
    ellipse: bool = False
    fill: float = 0.9

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= ALIGNED_SIZE or not 0.0 <= self.fill <= 1.0:
            raise TrainingError(f"surround needs a crop of 1 to {ALIGNED_SIZE} pixels and a fill of 0 to 1.")


class EllipseMask(nn.Module):
    """Blank (to the mean colour) all outside an ellipse around the face: part of the encoder, so of every precision."""

    def __init__(self, crop: int) -> None:
        super().__init__()
        self.crop = crop

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the normalised images [N, 3, S, S] with zeros outside the ellipse."""
        pixels = (torch.arange(image.shape[-1], device=image.device) + 0.5) * (self.crop / image.shape[-1])
        pixels = pixels + (ALIGNED_SIZE - self.crop) / 2
        across = ((pixels - ELLIPSE_CENTRE[0]) / ELLIPSE_SEMI_AXES[0]) ** 2
        down = ((pixels - ELLIPSE_CENTRE[1]) / ELLIPSE_SEMI_AXES[1]) ** 2
        radius = torch.sqrt(across[None, :] + down[:, None])
        inside = ((1.0 - radius) * (sum(ELLIPSE_SEMI_AXES) / 2 / _EDGE_PIXELS) + 0.5).clamp(0.0, 1.0)
        return image * inside


def black_surround(crop: Image) -> npt.NDArray[np.bool_] | None:
    """Return where [H, W] a crop is black outside the face, or None where it has no black surround."""
    dark = (crop.max(axis=2) < _BLACK).astype(np.uint8)
    corners = dark[:8, :8].mean() + dark[:8, -8:].mean() + dark[-8:, :8].mean() + dark[-8:, -8:].mean()
    if corners < 2.0:
        return None
    # JPEG leaves a seam of dark pixels inside the edge of the face.
    outside = cv2.dilate(cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.ones((3, 3), np.uint8))
    return outside.astype(bool)


def fill_surround(crop: Image, background: Image, chance: np.random.Generator) -> Image:
    """Return a crop [128, 128, 3] uint8 whose black surround shows something else, at random.

    background: another crop; blurred, it stands for what a camera sees behind a face.
    """
    outside = black_surround(crop)
    if outside is None:
        return crop
    kind = chance.random()
    if kind < 0.5:
        filled = cv2.blur(background, (int(chance.integers(1, 24)),) * 2)
        filled = filled[::-1] if chance.random() < 0.5 else filled
    elif kind < 0.75:
        filled = np.empty_like(crop)
        filled[:] = chance.integers(0, 256, 3)
    else:
        coarse = chance.integers(0, 256, (int(chance.integers(2, 9)), int(chance.integers(2, 9)), 3), dtype=np.uint8)
        filled = cv2.resize(coarse, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.where(outside[:, :, None], filled, crop)
