"""Training batches of a temporal head: simulated courses and windows of labelled clips, by seed and step alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.clips.windows import ClipWindows
from dfer_ros.training.courses.simulation import CourseSimulator

_SEQUENCE_SHARE = 1.0 / 3.0
_CUT_SHARE = 0.3


@dataclass(frozen=True)
class HeadBatch:
    """Windows: embeddings [N, T, D], ages [N, T], mask [N, T]. targets: [N, 7], shares of the classes.

    intensity [C] and phase [C] are known of the first C windows only, the simulated ones.
    """

    embeddings: torch.Tensor
    ages: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor
    intensity: torch.Tensor
    phase: torch.Tensor


class HeadBatches:
    """clips: windows of the clips to train on; every class is drawn equally often, and so is every source of a class.

    clip_share: 0..1, part of a batch that comes from clips. label_smoothing: 0..1, of the labels of clips.
    """

    def __init__(
        self,
        courses: CourseSimulator,
        clips: Sequence[ClipWindows],
        batch_size: int,
        clip_share: float,
        label_smoothing: float,
        seed: int,
    ) -> None:
        self._courses = courses
        self._clips = _ClipPool([windows for windows in clips if len(windows.clip)], label_smoothing)
        self._from_clips = round(batch_size * clip_share) if self._clips.count else 0
        self._from_courses = batch_size - self._from_clips
        self._seed = seed

    def batch(self, step: int) -> HeadBatch:
        """Return the batch of a step."""
        chance = np.random.default_rng((self._seed, step))
        simulated = self._courses.draw(self._from_courses, chance)
        parts = [(simulated.embeddings, simulated.ages, simulated.mask, simulated.targets)]
        if self._from_clips:
            parts.append(self._clips.draw(self._from_clips, chance))
        embeddings, ages, mask, targets = (torch.from_numpy(np.concatenate(column)) for column in zip(*parts))
        intensity, phase = torch.from_numpy(simulated.intensity), torch.from_numpy(simulated.phase)
        return HeadBatch(embeddings, ages, mask, targets, intensity, phase)


class _ClipPool:
    """The windows of all clips, one after the other. count: of clips."""

    def __init__(self, clips: Sequence[ClipWindows], label_smoothing: float) -> None:
        self.count = len(clips)
        if not clips:
            return
        lengths = np.array([len(windows.clip) for windows in clips])
        begins = np.cumsum(lengths) - lengths
        labelled = [labelled_frames(len(windows.clip), windows.clip.sequence) for windows in clips]
        self._firsts = begins + np.array([frames[0] for frames in labelled])
        self._labelled = np.array([len(frames) for frames in labelled])
        self._frames = np.concatenate([windows.embeddings for windows in clips])
        self._rows = np.concatenate([windows.rows + begin for windows, begin in zip(clips, begins)])
        self._ages = np.concatenate([windows.ages for windows in clips])
        self._mask = np.concatenate([windows.mask for windows in clips])
        self._chances = _even_chances([(windows.clip.label, windows.clip.source) for windows in clips])
        hard = np.eye(len(LABELS), dtype=np.float32)[[windows.clip.label for windows in clips]]
        self._targets = hard * (1.0 - label_smoothing) + np.float32(label_smoothing / len(LABELS))

    def draw(self, count: int, chance: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return embeddings [N, T, D], ages [N, T], mask [N, T] and targets [N, 7] of windows at random."""
        clip = chance.choice(self.count, size=count, p=self._chances)
        window = self._firsts[clip] + (chance.random(count) * self._labelled[clip]).astype(int)
        # Some faces were found only just now.
        oldest = np.where(chance.random((count, 1)) < _CUT_SHARE, chance.uniform(0.0, 2.0, (count, 1)), np.inf)
        gone = ((self._ages[window] > oldest) & (self._mask[window] > 0)).sum(axis=1, keepdims=True)
        columns = np.arange(self._ages.shape[1]) + gone
        there = columns < self._ages.shape[1]
        columns = np.minimum(columns, self._ages.shape[1] - 1)
        rows, ages, mask = (
            np.take_along_axis(values[window], columns, axis=1) for values in (self._rows, self._ages, self._mask)
        )
        return self._frames[rows], ages * there, mask * there, self._targets[clip]


def _even_chances(clips: Sequence[tuple[int, str]]) -> npt.NDArray[np.float64]:
    """Return the chance of each clip [N], sum 1, by its label and source: no laboratory leads, and no class."""
    of_source = Counter(clips)
    of_label = Counter(label for label, _ in of_source)
    chances = np.array([1.0 / (of_label[label] * of_source[label, source]) for label, source in clips])
    even: npt.NDArray[np.float64] = chances / chances.sum()
    return even


def labelled_frames(count: int, sequence: bool) -> npt.NDArray[np.int64]:
    """Return which of the frames of a clip have its label: all of a video, the last third of a sequence."""
    first = int(count * (1.0 - _SEQUENCE_SHARE)) if sequence else 0
    return np.arange(first, count)
