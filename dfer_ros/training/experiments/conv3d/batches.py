"""What a clip model sees: windows of crops at even distances in time, and training batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import Image
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.manifest import is_sequence
from dfer_ros.training.encoder.augmentation import AugmentationConfig, augment, central_part
from dfer_ros.training.encoder.trained_encoder import normalise
from dfer_ros.training.head.batches import labelled_frames

Rows = npt.NDArray[np.int64]
"""Frames of a clip, by number."""


@dataclass(frozen=True)
class Conv3dWindowConfig:
    """seconds: that a window spans, with `frames` frames. crop: pixels of the aligned crop that are seen.

    input_size: pixels to which they are scaled.
    """

    seconds: float = 2.0
    frames: int = 32
    crop: int = 88
    input_size: int = 96

    def __post_init__(self) -> None:
        if self.seconds <= 0 or min(self.frames, self.input_size) < 1 or not 1 <= self.crop <= ALIGNED_SIZE:
            raise TrainingError(
                "A clip model's window needs seconds above 0, frames and input_size of 1 or more, and a crop of 1 to "
                f"{ALIGNED_SIZE} pixels."
            )


def window_rows(stamps: npt.NDArray[np.float64], end: int, config: Conv3dWindowConfig) -> Rows:
    """Return the frames [T] of the window that ends at a frame: at T even moments, the newest frame by then.

    Before the first frame of the clip stands the first frame.
    """
    moments = stamps[end] - np.linspace(config.seconds, 0.0, config.frames)
    # A little later, so that a moment that is a frame's own stamp is that frame whatever the rounding.
    return np.clip(np.searchsorted(stamps, moments + 1e-6, side="right") - 1, 0, end).astype(np.int64)


def answered_frames(stamps: npt.NDArray[np.float64], stride: float, config: Conv3dWindowConfig) -> Rows:
    """Return the frames at which windows end that go over a clip with a stride in seconds; the last is among them.

    The first is the first one that fills a window. A clip shorter than a window has one, a clip without frames none.
    """
    if len(stamps) == 0:
        return np.zeros(0, np.int64)
    moments = np.arange(stamps[0] + config.seconds, stamps[-1], stride)
    return np.unique(np.append(np.searchsorted(stamps, moments), len(stamps) - 1)).astype(np.int64)


def window_images(clip: ClipFaces, end: int, config: Conv3dWindowConfig) -> npt.NDArray[np.uint8]:
    """Return the images [T, S, S, 3] uint8 BGR of the window that ends at a frame, as the robot cuts them."""
    rows, places = np.unique(window_rows(clip.stamps, end, config), return_inverse=True)
    images = np.stack([central_part(clip.crops[row], config.crop, config.input_size) for row in rows])
    return images[places]


def clip_tensor(windows: npt.NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Return normalised clips [P, 3, T, S, S] float32 for images [P, T, S, S, 3] uint8 BGR."""
    persons, frames = windows.shape[:2]
    images = normalise(torch.from_numpy(windows).flatten(0, 1).to(device))
    return images.reshape(persons, frames, *images.shape[1:]).transpose(1, 2).contiguous()


class Conv3dBatches:
    """Windows of clips, all classes equally often, and all clips of a class; by seed and step alone.

    A window is augmented with one draw for all of its frames, as if one person had sat elsewhere in other light.
    """

    def __init__(
        self,
        clips: Sequence[ClipFaces],
        window: Conv3dWindowConfig,
        augmentation: AugmentationConfig,
        batch_size: int,
        seed: int,
    ) -> None:
        by_class: dict[int, list[ClipFaces]] = {}
        for clip in clips:
            if len(clip.stamps):
                by_class.setdefault(clip.label, []).append(clip)
        self._clips = [by_class[label] for label in sorted(by_class)]
        self._window, self._augmentation = window, augmentation
        self._batch_size, self._seed = batch_size, seed

    def batch(self, step: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the windows [N, T, S, S, 3] uint8 BGR of a step, and their labels [N]."""
        chance = np.random.default_rng((self._seed, step))
        drawn = [self._draw_window(chance) for _ in range(self._batch_size)]
        return np.stack([images for images, _ in drawn]), np.array([label for _, label in drawn])

    def _draw_window(self, chance: np.random.Generator) -> tuple[npt.NDArray[np.uint8], int]:
        of_class = self._clips[chance.integers(len(self._clips))]
        clip = of_class[chance.integers(len(of_class))]
        end = int(chance.choice(labelled_frames(len(clip.stamps), is_sequence(clip.source))))
        rows, places = np.unique(window_rows(clip.stamps, end, self._window), return_inverse=True)
        seed = int(chance.integers(2**32))
        return np.stack([self._augmented(clip.crops[row], seed) for row in rows])[places], clip.label

    def _augmented(self, crop: Image, seed: int) -> Image:
        """Return one frame of a window; the same seed gives the same flip, place and light to each."""
        chance = np.random.default_rng(seed)
        return augment(crop, self._window.crop, self._window.input_size, self._augmentation, chance)
