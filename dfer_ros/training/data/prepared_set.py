"""A prepared data set: a folder of aligned crops and index.csv, the one format that training and evaluation read."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import LABELS

INDEX_FILE = "index.csv"
SETTINGS_FILE = "prepared.json"
"""What a set was prepared from, and what was left out."""
SPLITS = ("train", "validation", "test")
_COLUMNS = ("image", "split", "subject", "clip", "seconds", "quality", *LABELS)
_TAGS = "tags"
"""The last column, words with spaces between; sets that were prepared before there were tags lack it."""


@dataclass(frozen=True)
class Sample:
    """One aligned crop.

    image: path of the crop, relative to the folder of its set. split: one of SPLITS.
    subject: who or what must not be in two splits; empty where it is not known.
    clip: name of the clip it is a frame of, empty for a still. seconds: time in the clip. quality: 0..1.
    target: [7] shares of the classes in the order of LABELS, sum 1.
    tags: words by which parts of a set are looked at apart: the kind of a clip, or what makes a still hard.
    """

    image: str
    split: str
    subject: str
    clip: str
    seconds: float
    quality: float
    target: tuple[float, ...]
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> int:
        """Index into LABELS of the class with the largest share."""
        return int(np.argmax(self.target))


@dataclass(frozen=True)
class PreparedSet:
    """A folder and the samples of its index, in the order of the index."""

    folder: Path
    samples: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """The name of its folder, by which results and reports know it."""
        return Path(os.path.abspath(self.folder)).name  # noqa: PTH100  resolve() would follow links

    @property
    def data_set(self) -> str:
        """The name of the data set that it was prepared from, as `dfer data list` has it; empty where nobody knows."""
        try:
            made = json.loads((self.folder / SETTINGS_FILE).read_text(encoding="utf-8"))
            return str(made["settings"]["data set"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def split(self, name: str) -> PreparedSet:
        """Return the samples of one split."""
        return PreparedSet(self.folder, tuple(sample for sample in self.samples if sample.split == name))

    def targets(self) -> FloatArray:
        """Return the targets [N, 7] float32."""
        return np.array([sample.target for sample in self.samples], dtype=np.float32).reshape(-1, len(LABELS))

    def crop(self, index: int) -> Image:
        """Return the aligned crop [128, 128, 3] uint8 BGR of a sample. Raises DataError where it cannot be read."""
        return read_crop(self.folder / self.samples[index].image)


def one_label(label: int) -> tuple[float, ...]:
    """Return the target of a sample that has one label, an index into LABELS."""
    return tuple(float(index == label) for index in range(len(LABELS)))


def read_crop(path: Path) -> Image:
    """Return the aligned crop [128, 128, 3] uint8 BGR in an image file. Raises DataError where it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        what = "is not an image that can be read" if path.is_file() else "is missing"
        raise DataError(f"{path} {what}: prepare the data set again with 'dfer data prepare'.")
    if image.shape[0] != image.shape[1]:
        raise DataError(
            f"{path} is {image.shape[1]}x{image.shape[0]} pixels, but an aligned crop is square: prepare the set again."
        )
    if image.shape[0] != ALIGNED_SIZE:
        image = cv2.resize(image, (ALIGNED_SIZE, ALIGNED_SIZE), interpolation=cv2.INTER_LINEAR)
    return image


def write_index(folder: Path, samples: Iterable[Sample]) -> None:
    """Write index.csv; it appears whole or not at all. Raises TrainingError where it cannot be written."""
    with whole_path(folder / INDEX_FILE) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*_COLUMNS, _TAGS))
        for sample in samples:
            shares = [f"{share:.4g}" for share in sample.target]
            row = [sample.image, sample.split, sample.subject, sample.clip, f"{sample.seconds:.3f}"]
            writer.writerow([*row, f"{sample.quality:.3f}", *shares, " ".join(sample.tags)])


def open_prepared_set(folder: Path) -> PreparedSet:
    """Return the prepared set in a folder. Raises DataError where there is none or its index is damaged."""
    path = folder / INDEX_FILE
    if not path.is_file():
        raise DataError(f"There is no {INDEX_FILE} in {folder}: make it with 'dfer data prepare'.")
    try:
        reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is damaged: prepare the set again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        columns = tuple(next(reader, ()))
        if columns not in (_COLUMNS, (*_COLUMNS, _TAGS)):
            raise DataError(f"{path} does not begin with the columns {', '.join(_COLUMNS)}: prepare the set again.")
        return PreparedSet(folder, tuple(_parse(row, len(columns)) for row in reader))
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}, so prepare the set again.") from error


def check_names(sets: Iterable[PreparedSet]) -> None:
    """Raise DataError where two folders have one name, by which their results could not be told apart."""
    folders: dict[str, Path] = {}
    for prepared in sets:
        other = folders.setdefault(prepared.name, prepared.folder)
        if other.resolve() != prepared.folder.resolve():
            raise DataError(
                f"The prepared sets {other} and {prepared.folder} have one name, so their results could not be told "
                "apart: rename one of the folders."
            )


def _parse(row: list[str], columns: int) -> Sample:
    if len(row) != columns:
        raise ValueError(f"{len(row)} values instead of {columns}")
    image, split, subject, clip, seconds, quality, *shares = row[: len(_COLUMNS)]
    tags = tuple(row[-1].split()) if columns > len(_COLUMNS) else ()
    if split not in SPLITS:
        raise ValueError(f"the split '{split}' is none of {', '.join(SPLITS)}")
    target = np.array([float(share) for share in shares])
    if not np.isfinite(target).all() or not (target >= 0).all() or not target.sum() > 0:
        raise ValueError("the shares of the classes are negative, all zero or no numbers")
    return Sample(image, split, subject, clip, float(seconds), float(quality), tuple(target / target.sum()), tags)
