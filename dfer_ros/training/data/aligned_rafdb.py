"""rafdb: RAF-DB's basic emotions as its authors aligned them, brought to the template of this project (Li et al. 2017).

Layout, as a folder or zip file:

    train/<class>/train_<number>_aligned.jpg, test/<class>/...   100x100 colour stills
    near_duplicates_*.csv                                        pairs of stills that show the same picture
    lists/<occlusion, pose30, pose45>.txt                        test stills that are hard: occluded, or turned away

The authors stretched each face sideways by about 1.41, which no similarity can undo: the affine map below does.
Split: the published test; of the published training stills every sixteenth, by its number, is for validation. Training
stills that stand in a list of near duplicates are left out. The people are not named. Tags: the lists a still is in.
Source: whdeng.cn/RAF/model1.html, and the README that comes with the data packs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import Image
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.aligned_packs import ASK
from dfer_ros.training.data.crops import JPEG_QUALITY
from dfer_ros.training.data.data_set import AlignedStill, DataSet
from dfer_ros.training.data.loading import image_or_none
from dfer_ros.training.data.prepared_set import one_label
from dfer_ros.training.data.zip_or_folder import Pack, open_pack, read_entry

UNSTRETCH = np.array([[0.7168, 0.0, 29.31], [0.0, 1.0122, 16.38]])
"""From a still of RAF-DB (100x100) to the aligned crop (128x128): its eyes and mouth come to rest on the template."""

_STILL = re.compile(r"(train|test)/([a-z]+)/\1_(\d+)_aligned\.jpg")
_VALIDATION_EVERY = 16


def load(root: Path, _fold: int) -> list[AlignedStill]:
    """Return the stills, in the order of their names."""
    pack = open_pack(root, "rafdb", "train/")
    entries = sorted(pack.namelist())
    duplicates = _near_duplicates(pack, entries)
    tags = _lists(pack, entries)
    stills = (_still(pack, entry, tuple(tags[entry])) for entry in entries if entry.endswith(".jpg"))
    return [still for still in stills if still.split != "train" or still.name not in duplicates]


def unstretched(image: Image) -> Image:
    """Return the aligned crop [128, 128, 3] uint8 BGR of a still [100, 100, 3]; its edges are continued outwards."""
    size = (ALIGNED_SIZE, ALIGNED_SIZE)
    return cv2.warpAffine(image, UNSTRETCH, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _still(pack: Pack, entry: str, tags: tuple[str, ...]) -> AlignedStill:
    found = _STILL.fullmatch(entry)
    if found is None or found[2] not in LABELS:
        raise DataError(
            f"{entry} in {pack.filename} is not named <split>/<class>/<split>_<number>_aligned.jpg with one of "
            f"{', '.join(LABELS)}: get the pack again."
        )
    split, label, number = found[1], LABELS.index(found[2]), int(found[3])
    if split == "train" and number % _VALIDATION_EVERY == 0:
        split = "validation"
    read = partial(_unstretched_jpeg, pack, entry)
    return AlignedStill(entry, split, "", one_label(label), Path(str(pack.filename)), read, tags=tags)


def _unstretched_jpeg(pack: Pack, entry: str) -> bytes:
    image = image_or_none(read_entry(pack, entry))
    if image is None:
        raise DataError(f"{entry} in {pack.filename} is not an image that can be decoded.")
    return cv2.imencode(".jpg", unstretched(image), (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1].tobytes()


def _lists(pack: Pack, entries: list[str]) -> dict[str, list[str]]:
    """Return the names of the lists that every still stands in."""
    tags: dict[str, list[str]] = defaultdict(list)
    for place in (entry for entry in entries if PurePosixPath(entry).match("lists/*.txt")):
        for name in dict.fromkeys(read_entry(pack, place).decode().split()):
            tags[name].append(PurePosixPath(place).stem)
    return tags


def _near_duplicates(pack: Pack, entries: list[str]) -> set[str]:
    """Return every still that stands in a list of near duplicates."""
    lists = [entry for entry in entries if PurePosixPath(entry).match("near_duplicates_*.csv")]
    lines = [line for entry in lists for line in read_entry(pack, entry).decode().splitlines()]
    return {cell.strip() for line in lines for cell in line.split(",")}


RAFDB = DataSet(
    "rafdb",
    "rafdb",
    "aligned stills",
    "15,339 colour stills of RAF-DB's basic emotions, as its authors aligned them",
    ASK,
    load,
)
