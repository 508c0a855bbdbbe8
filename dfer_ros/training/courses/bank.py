"""Stills as a frame encoder sees them, each in several views: what simulated courses are made of."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.augmentation import AugmentationConfig, augment
from dfer_ros.training.encoder.surround import fill_surround

Encode = Callable[[Sequence[Image]], FloatArray]
"""Aligned crops [128, 128, 3] uint8 BGR to embeddings [N, D]."""

_BATCH = 64
# A person before a camera: the light flickers and the face turns a little from frame to frame.
_PLAIN = AugmentationConfig(5.0, 3.0, 0.05, 0.03, 0.0, 0.0, 0.2, 0.6, 0.3, 0.0, 0.2, 0.0)
_DEGRADED = replace(_PLAIN, low_resolution=0.7, blur=0.7, jpeg=0.5, noise=0.5)
_OCCLUDED = replace(_PLAIN, occlusion=1.0)


@dataclass(frozen=True)
class BankConfig:
    """How many views of each still: with other light and pose, of low quality, and with a part covered."""

    plain: int = 4
    degraded: int = 1
    occluded: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.plain, self.degraded, self.occluded) < 1:
            raise DataError("A bank needs at least one view of each kind: plain, degraded and occluded.")


@dataclass(frozen=True)
class EmbeddingBank:
    """embeddings: [N, V, D] float32, the views of each still in the order plain, degraded, occluded.

    targets: [N, 7] float32, shares of the classes. plain, degraded: how many views are so; the others are occluded.
    """

    embeddings: FloatArray
    targets: FloatArray
    plain: int
    degraded: int

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The class [N] with the largest share, as index into LABELS."""
        return self.targets.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.targets)


def embed_stills(prepared: PreparedSet, encode: Encode, config: BankConfig) -> EmbeddingBank:
    """Return the bank of all samples of a prepared set, in its order."""
    chance = np.random.default_rng(config.seed)
    kinds = [_PLAIN] * config.plain + [_DEGRADED] * config.degraded + [_OCCLUDED] * config.occluded
    rows: list[FloatArray] = []
    pending: list[Image] = []
    count = len(prepared.samples)
    if count == 0:
        raise DataError(f"{prepared.folder} has no samples for a bank of embeddings: give a set that has some.")
    for index in track(range(count), description=f"embeddings of {prepared.folder.name}"):
        background = prepared.crop(int(chance.integers(count)))
        crop = fill_surround(prepared.crop(index), background, chance)
        pending += _views(crop, kinds, chance)
        if len(pending) >= _BATCH:
            rows.append(encode(pending))
            pending = []
    if pending:
        rows.append(encode(pending))
    embeddings = np.concatenate(rows)
    shape = (count, len(kinds), embeddings.shape[1])
    return EmbeddingBank(
        embeddings.reshape(shape).astype(np.float32), prepared.targets(), config.plain, config.degraded
    )


def _views(crop: Image, kinds: list[AugmentationConfig], chance: np.random.Generator) -> list[Image]:
    """Return views of a still. Some are mirrored: faces are even enough that it stands for a turn of the head."""
    return [augment(crop, ALIGNED_SIZE, ALIGNED_SIZE, kind, chance) for kind in kinds]


def join_banks(banks: Sequence[EmbeddingBank]) -> EmbeddingBank:
    """Return one bank of several. Raises DataError where they do not have the same views and embeddings."""
    first = banks[0]
    if any(_form(bank) != _form(first) for bank in banks):
        raise DataError("Banks of other views or of another encoder cannot be joined: make them again alike.")
    embeddings = np.concatenate([bank.embeddings for bank in banks])
    targets = np.concatenate([bank.targets for bank in banks])
    return EmbeddingBank(embeddings, targets, first.plain, first.degraded)


def save_bank(path: Path, bank: EmbeddingBank) -> None:
    """Write a bank to an .npz file; it appears whole or not at all. Raises TrainingError where it cannot be."""
    views = np.array([bank.plain, bank.degraded])
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(file, embeddings=bank.embeddings.astype(np.float16), targets=bank.targets, views=views)


def load_bank(path: Path) -> EmbeddingBank:
    """Return the bank that save_bank wrote. Raises DataError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            plain, degraded = stored["views"].tolist()
            return EmbeddingBank(stored["embeddings"].astype(np.float32), stored["targets"], plain, degraded)
    except FileNotFoundError as error:
        raise DataError(f"There is no bank of embeddings {path}: make it first.") from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a bank of embeddings, or damaged: delete it to make it again.") from error


def bank_of_logits(bank: EmbeddingBank, weight: FloatArray, bias: FloatArray) -> EmbeddingBank:
    """Return the bank with the logits of a classifier, weight [7, D] and bias [7], in place of the embeddings.

    Courses mix embeddings linearly, so for a head that sees logits only this is the same, and much less to move.
    """
    return replace(bank, embeddings=(bank.embeddings @ weight.T + bias).astype(np.float32))


def _form(bank: EmbeddingBank) -> tuple[int, ...]:
    return (bank.plain, bank.degraded, *bank.embeddings.shape[1:])
