"""AffectNet: 440,000 stills found by web search and labelled by hand (Mollahosseini et al., TAC 2017).

Three layouts are known; the first that is there is taken:

    train_set/images/<n>.jpg, train_set/annotations/<n>_exp.npy, and val_set/...      faces of 224 pixels, since 2021
    Manually_Annotated_file_lists/training.csv, validation.csv with the images of their column subDirectory_filePath in
        Manually_Annotated_Images/ (or in Manually_Annotated/Manually_Annotated_Images/)      as first published
    train/<class>/*, val/<class>/* (or valid/, test/), <class> a number or name                a folder for each class

Split: as published; what it calls validation is here too, a public test there is not. The people are not named.
Labels: 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger; 7 contempt, 8 none, 9 uncertain and 10 no
face are left out. Source: the documentation that comes with the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import Image
from dfer_ros.training.data.data_set import DataSet, LayoutError, Still
from dfer_ros.training.data.loading import LabelMap, find, images_in, read_image, read_table, target_of

LABEL_MAP: LabelMap = {
    "0": "neutral",
    "1": "happy",
    "2": "sad",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "angry",
    "7": None,
    "8": None,
    "9": None,
    "10": None,
}
CLASS_FOLDERS: LabelMap = {
    **LABEL_MAP,
    **{name: name for name in ("neutral", "happy", "sad", "angry", "surprise", "fear", "disgust")},
    **{"happiness": "happy", "sadness": "sad", "anger": "angry", "contempt": None},
}
"""Numbers and names of the class folders, in small letters."""
_MARGIN = 0.5
"""What is kept around the box of the labelled face, in sides of the box: the detector wants to see the whole head."""
_FOLDER_SPLITS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}


def load(root: Path, _fold: int) -> list[Still]:
    """Return the stills of whichever layout is there."""
    if (root / "train_set").is_dir():
        return [still for name in ("train", "val") for still in _annotated(find(root, f"{name}_set"), name)]
    if (root / "Manually_Annotated_file_lists").is_dir():
        images = find(root, "Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
        lists = {"training.csv": "train", "validation.csv": "validation"}
        files = {find(root, f"Manually_Annotated_file_lists/{file}"): split for file, split in lists.items()}
        return [still for file, split in files.items() for still in _listed(file, split, images)]
    if (root / "train").is_dir():
        splits = {root / name: split for name, split in _FOLDER_SPLITS.items() if (root / name).is_dir()}
        return [still for folder, split in splits.items() for still in _by_folder(folder, split)]
    raise LayoutError(f"none of train_set, Manually_Annotated_file_lists and train is in {root}")


def _annotated(folder: Path, name: str) -> Iterator[Still]:
    annotations = find(folder, "annotations")
    for path in images_in(find(folder, "images")):
        file = annotations / f"{path.stem}_exp.npy"
        target = target_of(LABEL_MAP, _label(file), str(file))
        if target is not None:
            yield Still(f"{name}/{path.stem}", _FOLDER_SPLITS[name], "", target, path, partial(read_image, path))


def _label(file: Path) -> str:
    try:
        return str(int(np.load(file, allow_pickle=False).item()))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{file} is not there or does not hold a label.") from error


def _listed(file: Path, split: str, images: Path) -> Iterator[Still]:
    columns = ("face_x", "face_y", "face_width", "face_height")
    for row, where in read_table(file, ("subDirectory_filePath", "expression", *columns)):
        target = target_of(LABEL_MAP, row["expression"].strip(), where)
        if target is None:
            continue
        try:
            box = [float(row[column]) for column in columns]
        except ValueError as error:
            raise DataError(f"{where} has a face that is not four numbers.") from error
        path = images / row["subDirectory_filePath"]
        name = Path(row["subDirectory_filePath"]).with_suffix("").as_posix()
        yield Still(f"{split}/{name}", split, "", target, path, partial(_read_around, path, box))


def _read_around(path: Path, box: list[float]) -> Image:
    """Return the part of an image around the box of the face that the label is for."""
    image = read_image(path)
    x, y, width, height = box
    left, top = (max(0, round(start - _MARGIN * side)) for start, side in ((x, width), (y, height)))
    right, bottom = (max(0, round(start + (1 + _MARGIN) * side)) for start, side in ((x, width), (y, height)))
    part = image[top:bottom, left:right]
    return part if part.size else image


def _by_folder(folder: Path, split: str) -> Iterator[Still]:
    for class_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        target = target_of(CLASS_FOLDERS, class_folder.name.lower(), f"The folder {class_folder}")
        for path in images_in(class_folder) if target is not None else ():
            assert target is not None
            name = path.relative_to(folder.parent).with_suffix("").as_posix()
            yield Still(name, split, "", target, path, partial(read_image, path))


AFFECTNET = DataSet(
    "affectnet",
    "AffectNet",
    "stills",
    "about 290,000 stills from the web",
    "http://mohammadmahoor.com/affectnet/",
    load,
)
