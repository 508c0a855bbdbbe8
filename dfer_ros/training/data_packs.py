"""The aligned packs of stills that the first model is calibrated on and measured with, read from their zip files."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.core.labels import LABELS

_FERPLUS_COLUMNS = (*LABELS, "contempt", "unknown", "not_face")
_FERPLUS_LEAST_VOTES = 5
_FERPLUS_LEAST_SHARE = 0.4


@dataclass(frozen=True)
class LabelledStills:
    """crops: aligned crops [128, 128, 3] uint8 BGR. labels: [N] int64, indices into LABELS."""

    crops: list[Image]
    labels: npt.NDArray[np.int64]


def ferplus_validation(data: Path) -> LabelledStills:
    """Return the validation stills of FER+ that have a clear majority.

    Single votes count as none; left out are stills with fewer than five votes for the seven classes, whose majority is
    contempt, unknown or not a face, or whose majority has under 40 % of the votes (Barsoum et al. 2016).
    """
    crops, labels = [], []
    with _open_pack(data, "ferplus_aligned.zip") as pack:
        rows = csv.DictReader(io.StringIO(pack.read("val.csv").decode()))
        for row in rows:
            votes = np.array([int(row[column]) for column in _FERPLUS_COLUMNS])
            votes[votes <= 1] = 0
            majority = int(votes.argmax())
            enough = votes[: len(LABELS)].sum() >= _FERPLUS_LEAST_VOTES
            if enough and majority < len(LABELS) and votes.max() >= _FERPLUS_LEAST_SHARE * votes.sum():
                crops.append(_decode(pack, row["image"]))
                labels.append(majority)
    return LabelledStills(crops, np.array(labels, dtype=np.int64))


def calibration_crops(data: Path, count: int, seed: int) -> list[Image]:
    """Return `count` crops drawn from the training stills of all packs, colour and grey, evenly by pack."""
    packs = ("affectnet7_aligned.zip", "ferplus_aligned.zip", "lfw_expr_aligned.zip")
    chance = random.Random(seed)
    crops = []
    for index, name in enumerate(packs):
        share = count // len(packs) + (index < count % len(packs))
        with _open_pack(data, name) as pack:
            images = sorted(entry for entry in pack.namelist() if "train/" in entry and entry.endswith(".jpg"))
            crops += [_decode(pack, entry) for entry in chance.sample(images, share)]
    return crops


def _open_pack(data: Path, name: str) -> zipfile.ZipFile:
    path = data / name
    if not path.is_file():
        raise SourceError(f"The pack {path} is missing: give the folder that holds the data packs with --data.")
    return zipfile.ZipFile(path)


def _decode(pack: zipfile.ZipFile, entry: str) -> Image:
    image = cv2.imdecode(np.frombuffer(pack.read(entry), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f"The image {entry} in {pack.filename} cannot be decoded.")
    return cv2.resize(image, (ALIGNED_SIZE, ALIGNED_SIZE), interpolation=cv2.INTER_LINEAR)
