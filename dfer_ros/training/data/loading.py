"""What the loaders share: to find files where a data set keeps them, to read its lists, and to map its labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from dfer_ros.core.errors import DataError, ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import decode_image
from dfer_ros.core.labels import LABELS
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from dfer_ros.training.data.data_set import LayoutError
from dfer_ros.training.data.prepared_set import one_label

LabelMap = Mapping[str, str | None]
"""From the label of a data set to one of LABELS, or None where it is left out."""


def find(root: Path, *places: str) -> Path:
    """Return the first of the places (relative paths) that is there under root; raises LayoutError for none."""
    for place in places:
        if (root / place).exists():
            return root / place
    wanted = f"{root / places[0]}" + (f" (or {', '.join(places[1:])})" if len(places) > 1 else "")
    raise LayoutError(f"{wanted} is missing")


def clip_path(folder: Path, name: str) -> Path:
    """Return where a clip lies: the folder of its frames, else a video of that name; the former if neither is there."""
    videos = (folder / f"{name}{suffix}" for suffix in VIDEO_SUFFIXES)
    frames = folder / name
    return frames if frames.is_dir() else next((video for video in videos if video.is_file()), frames)


def target_of(labels: LabelMap, label: str, where: str) -> tuple[float, ...] | None:
    """Return the target of a label, None where it is left out. Raises DataError for one that is not in the map."""
    if label not in labels:
        raise DataError(f"{where} has the label '{label}', which is none of {', '.join(labels)}.")
    name = labels[label]
    return None if name is None else one_label(LABELS.index(name))


def read_list(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, label and place of every line `name label`. Raises DataError for a line that is not of that form."""
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        words = line.split()
        if len(words) != 2:
            raise DataError(f"{path}, line {number} is not a name and a label: {line.strip()[:80]}")
        yield words[0].replace("\\", "/"), words[1], f"{path}, line {number}"


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield every row of a CSV file by column, and its place. Raises DataError where a column or value is missing."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file)
        lacking = [column for column in columns if column not in (reader.fieldnames or ())]
        if lacking:
            raise DataError(f"{path} has no column {', '.join(lacking)} in its first line.")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if any(row[column] is None for column in columns):
                raise DataError(f"{where} has fewer values than the first line has columns.")
            yield row, where


def images_in(folder: Path) -> list[Path]:
    """Return the image files under a folder, sorted; hidden files are none."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(path for path in found if not path.name.startswith("."))


def read_image(path: Path) -> Image:
    """Return an image [H, W, 3] uint8 BGR. Raises DataError where it cannot be read or decoded."""
    try:
        image = image_or_none(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if image is None:
        raise DataError(f"{path} is not an image that can be decoded.")
    return image


def image_or_none(content: bytes) -> Image | None:
    """Return the image [H, W, 3] uint8 BGR in the content of a file, None where there is none."""
    with suppress(ImageError):
        return decode_image(content)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file in UTF-8.") from error
