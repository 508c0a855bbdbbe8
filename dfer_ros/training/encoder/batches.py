"""Training batches of the frame encoder: a function of the seed and the step alone, so that a run can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.augmentation import AugmentationConfig, augment
from dfer_ros.training.encoder.surround import SurroundConfig, fill_surround


@dataclass(frozen=True)
class DataConfig:
    """name: a prepared set, a folder of --data. share: part of the draws, relative to the other sets.

    balance: 0 draws as the set is, 1 every class equally often (class weights by drawing).
    taught: whether teachers, if there are any, have a say about this set.
    without: samples with one of these tags are not drawn: sources of clips that are left out, or unlabelled frames.
    """

    name: str
    share: float = 1.0
    balance: float = 0.5
    taught: bool = True
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.share <= 0 or self.balance < 0:
            raise TrainingError(f"The set {self.name} needs a share above 0 and a balance of 0 or more.")


@dataclass(frozen=True)
class Batch:
    """images: [N, S, S, 3] uint8 BGR. targets: [N, 7] float32, sum 1."""

    images: torch.Tensor
    targets: torch.Tensor


class EncoderBatches(Dataset[Batch]):
    """Item i is the batch of step i.

    sets: the training split of every set of `data`. targets: of their samples, labels and teachers mixed.
    sizes: the input sizes in pixels that take turns at random, one for each batch.
    """

    def __init__(
        self,
        data: tuple[DataConfig, ...],
        sets: Sequence[PreparedSet],
        targets: Sequence[FloatArray],
        batch_size: int,
        sizes: tuple[int, ...],
        surround: SurroundConfig,
        augmentation: AugmentationConfig,
        seed: int,
    ) -> None:
        self._sets, self._targets = sets, targets
        self._weights = [_draw_weights(prepared.targets(), one.balance) for prepared, one in zip(sets, data)]
        shares = np.array([one.share for one in data])
        self._shares = shares / shares.sum()
        self._batch_size, self._sizes, self._seed = batch_size, sizes, seed
        self._surround, self._augmentation = surround, augmentation

    def __getitem__(self, step: int) -> Batch:
        chance = np.random.default_rng((self._seed, step))
        size = int(chance.choice(self._sizes))
        owners = chance.choice(len(self._sets), self._batch_size, p=self._shares)
        images, targets = [], []
        for owner in owners:
            index = int(np.searchsorted(self._weights[owner], chance.random()))
            images.append(self._image(self._sets[owner], index, size, chance))
            targets.append(self._targets[owner][index])
        return Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets)))

    def _image(self, prepared: PreparedSet, index: int, size: int, chance: np.random.Generator) -> Image:
        crop = prepared.crop(index)
        if chance.random() < self._surround.fill:
            other = self._sets[int(chance.integers(len(self._sets)))]
            crop = fill_surround(crop, other.crop(int(chance.integers(len(other.samples)))), chance)
        return augment(crop, self._surround.crop, size, self._augmentation, chance)


def drawn_shares(data: Sequence[DataConfig], sets: Sequence[PreparedSet]) -> FloatArray:
    """Return how often each class is drawn [7], sum 1, from the training splits `sets` of `data`."""
    shares = np.zeros(len(LABELS))
    for one, prepared in zip(data, sets):
        targets = prepared.targets()
        weights = np.diff(_draw_weights(targets, one.balance), prepend=0.0)
        shares += one.share * (weights @ targets)
    drawn: FloatArray = (shares / shares.sum()).astype(np.float32)
    return drawn


def _draw_weights(targets: FloatArray, balance: float) -> npt.NDArray[np.float64]:
    """Return the running sum [N] of the chances of the samples; rare classes are drawn more often."""
    share = targets.mean(axis=0)
    of_class = np.where(share > 0, np.maximum(share, 1e-6) ** -balance, 0.0)
    weights = targets @ of_class
    running: npt.NDArray[np.float64] = np.cumsum(weights / weights.sum())
    running[-1] = 1.0
    return running
