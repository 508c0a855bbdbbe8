"""The packs of stills that are aligned already: affectnet7, FER+, lfw_expr and ck48, as folders or zip files.

Layout: affectnet7_aligned/{train,val}/<class>/*.jpg; ferplus_aligned/{train,val}/*.jpg with train.csv and val.csv
(image and ten vote counts); lfw_expr_aligned/train/<class>/*.jpg; ck48/<class>/<subject>_<sequence>_<frame>.png.
The crops are copied as they are, without another loss of JPEG.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.data_set import AlignedStill, DataSet
from dfer_ros.training.data.prepared_set import Sample, one_label
from dfer_ros.training.data.zip_or_folder import Pack, open_pack, read_entry

FERPLUS_VOTES = (*LABELS, "contempt", "unknown", "not_face")
CK48_TEST_SUBJECTS = frozenset({"S055", "S074", "S111", "S124", "S130"})
"""The subjects of the CK+ sequences in dynamic_clips: nobody who is answered about there is seen in training."""

_LEAST_VOTES = 5
_LEAST_SHARE = 0.4
_LEAST_TRAINING_SHARE = 0.3
_SPLITS = {"train": "train", "val": "validation"}


@dataclass(frozen=True)
class PackedStill:
    """A still of a pack: the name of its entry in the pack, and the sample it becomes."""

    entry: str
    sample: Sample


def affectnet7(pack: Pack) -> Iterator[PackedStill]:
    """Yield the stills of affectnet7_aligned: <split>/<class>/<name>.jpg."""
    for entry in _images(pack):
        yield _still(entry, _split(pack, entry), "", one_label(_label(pack, entry)))


def lfw_expr(pack: Pack) -> Iterator[PackedStill]:
    """Yield the stills of lfw_expr_aligned: train/<class>/<name>.jpg."""
    for entry in _images(pack):
        yield _still(entry, "train", "", one_label(_label(pack, entry)))


def ck48(pack: Pack) -> Iterator[PackedStill]:
    """Yield the apex frames of CK+: <class>/<subject>_<sequence>_<frame>.png.

    Split by subject: those of CK48_TEST_SUBJECTS are for testing, the others for training.
    """
    for entry in _images(pack):
        subject = PurePosixPath(entry).name.split("_")[0]
        split = "test" if subject in CK48_TEST_SUBJECTS else "train"
        yield _still(entry, split, subject, one_label(_label(pack, entry)))


def ferplus(pack: Pack) -> Iterator[PackedStill]:
    """Yield the stills of ferplus_aligned: for training with the distribution of their votes, else by majority.

    Single votes count as none. Validation leaves out stills with fewer than five votes for the seven classes, whose
    majority is contempt, unknown or not a face, or whose majority has under 40 % of the votes (Barsoum et al. 2016);
    training those of which fewer than three tenths of the votes are for the seven classes.
    """
    for short, split in _SPLITS.items():
        for number, row in enumerate(csv.DictReader(io.StringIO(read_entry(pack, f"{short}.csv").decode())), 2):
            try:
                votes = np.array([int(row[column]) for column in FERPLUS_VOTES], dtype=np.float64)
                image = row["image"]
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{short}.csv in {pack.filename}, line {number}: no image and ten votes.") from error
            target = ferplus_majority(votes) if split == "validation" else ferplus_distribution(votes)
            if target is not None:
                yield _still(image, split, "", target)


def ferplus_majority(votes: npt.NDArray[np.float64]) -> tuple[float, ...] | None:
    """Return the target of a still with ten vote counts and a clear majority, else None (rule of `ferplus`)."""
    counted = np.where(votes <= 1, 0, votes)
    majority = int(counted.argmax())
    enough = counted[: len(LABELS)].sum() >= _LEAST_VOTES
    clear = majority < len(LABELS) and counted.max() >= _LEAST_SHARE * counted.sum()
    return one_label(majority) if enough and clear else None


def ferplus_distribution(votes: npt.NDArray[np.float64]) -> tuple[float, ...] | None:
    """Return the shares of the classes in ten vote counts, None where too few are for them (rule of `ferplus`)."""
    counted = np.where(votes <= 1, 0, votes)
    classes = counted[: len(LABELS)]
    if classes.sum() == 0 or classes.sum() < _LEAST_TRAINING_SHARE * votes.sum():
        return None
    return tuple(float(share) for share in classes / classes.sum())


PACKS: dict[str, tuple[str, Callable[[Pack], Iterator[PackedStill]]]] = {
    "affectnet7": ("affectnet7_aligned.zip", affectnet7),
    "ferplus": ("ferplus_aligned.zip", ferplus),
    "lfw_expr": ("lfw_expr_aligned.zip", lfw_expr),
    "ck48": ("ck48.zip", ck48),
}
"""By name: the zip file, and the function that lists its stills."""

ASK = "the maintainers of dfer_ros, with whose data packs it comes"


def _images(pack: Pack) -> list[str]:
    return sorted(name for name in pack.namelist() if name.endswith((".jpg", ".png")))


def _split(pack: Pack, entry: str) -> str:
    folder = PurePosixPath(entry).parts[0]
    if folder not in _SPLITS:
        raise DataError(f"{entry} in {pack.filename} lies in neither {' nor '.join(_SPLITS)}.")
    return _SPLITS[folder]


def _label(pack: Pack, entry: str) -> int:
    name = PurePosixPath(entry).parent.name
    if name not in LABELS:
        raise DataError(f"{entry} in {pack.filename} lies in a folder that is none of {', '.join(LABELS)}.")
    return LABELS.index(name)


def _still(entry: str, split: str, subject: str, target: tuple[float, ...]) -> PackedStill:
    return PackedStill(entry, Sample(entry, split, subject, "", 0.0, 1.0, target))


def _load_stills(name: str, landmark: str, root: Path, _fold: int) -> list[AlignedStill]:
    file, stills = PACKS[name]
    pack = open_pack(root, Path(file).stem, landmark)
    there = set(pack.namelist())
    found = []
    for still in stills(pack):
        if still.entry not in there:
            raise DataError(f"{pack.filename} names {still.entry}, which is not in it: get the pack again.")
        sample, read = still.sample, partial(read_entry, pack, still.entry)
        path = Path(str(pack.filename))
        found.append(AlignedStill(sample.image, sample.split, sample.subject, sample.target, path, read))
    return found


AFFECTNET7 = DataSet(
    "affectnet7",
    "affectnet7",
    "aligned stills",
    "29,574 colour stills of AffectNet, background masked",
    ASK,
    partial(_load_stills, "affectnet7", "train/"),
)
FERPLUS = DataSet(
    "ferplus",
    "ferplus",
    "aligned stills",
    "about 31,000 grey stills of FER2013 with votes",
    ASK,
    partial(_load_stills, "ferplus", "train.csv"),
)
LFW_EXPR = DataSet(
    "lfw_expr",
    "lfw_expr",
    "aligned stills",
    "6,077 press photos, noisy labels",
    ASK,
    partial(_load_stills, "lfw_expr", "train/"),
)
CK48 = DataSet(
    "ck48",
    "ck48",
    "aligned stills",
    "870 apex frames of CK+, 48 pixels, grey",
    ASK,
    partial(_load_stills, "ck48", "angry/"),
)
