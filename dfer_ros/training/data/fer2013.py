"""FER2013 with the votes of FER+: 35,887 grey stills of 48 pixels (Goodfellow et al. 2013; Barsoum et al., ICMI 2016).

Layout, row by row the same images:

    fer2013.csv       columns emotion, pixels (2304 numbers 0..255), Usage
    fer2013new.csv    columns Usage, Image name, and the votes of ten people: neutral, happiness, surprise, sadness,
                      anger, disgust, fear, contempt, unknown, NF

Split: Training is train, PublicTest validation, PrivateTest test.
Labels: training has the distribution of the votes, the others their majority; which are left out, and why, is said in
`ferplus` of aligned_packs.py. Source: github.com/microsoft/FERPlus.
"""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import Image
from dfer_ros.training.data.aligned_packs import ferplus_distribution, ferplus_majority
from dfer_ros.training.data.data_set import DataSet, Still
from dfer_ros.training.data.loading import find, read_table

_VOTES = ("neutral", "happiness", "sadness", "anger", "surprise", "fear", "disgust", "contempt", "unknown", "NF")
"""The columns of fer2013new.csv in the order of FERPLUS_VOTES."""
_SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_SIDE = 48


def load(root: Path, _fold: int) -> list[Still]:
    """Return the stills whose votes say something about the seven classes."""
    images, votes = (
        find(root, "fer2013.csv", "fer2013/fer2013.csv"),
        find(root, "fer2013new.csv"),
    )
    rows = zip_longest(read_table(images, ("pixels", "Usage")), read_table(votes, ("Usage", *_VOTES)))
    stills = []
    for number, (image_row, vote_row) in enumerate(rows):
        if image_row is None or vote_row is None or image_row[0]["Usage"] != vote_row[0]["Usage"]:
            raise DataError(f"{images} and {votes} do not belong together: they differ from row {number + 1} on.")
        (image, image_place), (vote, vote_place) = image_row, vote_row
        split = _SPLITS.get(image["Usage"])
        if split is None:
            raise DataError(f"{image_place} has the usage '{image['Usage']}', which is none of {', '.join(_SPLITS)}.")
        counts = _counts(vote, vote_place)
        target = ferplus_distribution(counts) if split == "train" else ferplus_majority(counts)
        if target is not None:
            read = partial(_decode, image["pixels"], image_place)
            stills.append(Still(f"{split}/{number:05d}", split, "", target, images, read))
    return stills


def _counts(row: dict[str, str], where: str) -> npt.NDArray[np.float64]:
    try:
        return np.array([int(row[column]) for column in _VOTES], dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{where} has votes that are not whole numbers.") from error


def _decode(pixels: str, where: str) -> Image:
    try:
        grey = np.array(pixels.split(), dtype=np.uint8).reshape(_SIDE, _SIDE)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where} does not have {_SIDE * _SIDE} pixels of 0 to 255.") from error
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


FER2013 = DataSet(
    "fer2013",
    "FER2013 with the votes of FER+",
    "stills",
    "35,887 grey stills of 48 pixels, ten votes each",
    "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data "
    "(images) and https://github.com/microsoft/FERPlus (votes)",
    load,
)
