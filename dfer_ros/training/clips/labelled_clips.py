"""Labelled clips on disk: a zip file or a folder of videos and frame folders with a manifest."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS

MANIFEST_FILE = "manifest.csv"
ALL_VIDEOS = "videos"
"""What the clips of all sources but sequences are called together."""
CK_PLUS_SOURCE = "ckplus"
"""The source of sequences that run from neutral to the apex, so that the answer that counts stands at their end."""
_COLUMNS = ("path", "label", "source", "subject", "fps")


@dataclass(frozen=True)
class ManifestRow:
    """A line of a manifest. path: of the clip, as written. label: index into LABELS. fps: of a folder of frames."""

    path: str
    label: int
    source: str
    subject: str
    fps: float


@dataclass(frozen=True)
class LabelledClip:
    """A clip on disk. name: its path in the manifest. label: index into LABELS. fps: of a folder of frames."""

    path: Path
    name: str
    label: int
    source: str
    subject: str
    fps: float


def is_sequence(source: str) -> bool:
    """Return whether the clips of a source run from neutral to the apex, as those of CK+ do."""
    return source == CK_PLUS_SOURCE


def check_source(source: str) -> None:
    """Raise ValueError for what cannot name a source: the folders of runs, and a line of every table, are called so."""
    if source in ("", ".", "..", ALL_VIDEOS) or "/" in source:
        raise ValueError(f"the source '{source}' must be a name without slashes, and not '{ALL_VIDEOS}'")


def check_clips(path: Path) -> list[ManifestRow]:
    """Return the manifest of a zip file or folder whose clips are all there; nothing is unpacked.

    manifest.csv: path, label (one of LABELS), source, subject, fps. Raises DataError where that is not so.
    """
    with _opened(path) as root:
        manifest = root / MANIFEST_FILE
        if not manifest.is_file():
            raise DataError(
                f"There is no {MANIFEST_FILE} in {path}: clips come with one, with the columns {', '.join(_COLUMNS)}."
            )
        rows = parse_manifest(manifest.read_text(encoding="utf-8-sig", errors="replace"), path)
        for row in rows:
            if not (root / PurePosixPath(row.path).as_posix()).exists():
                raise DataError(
                    f"{MANIFEST_FILE} in {path} names '{row.path}', which is not there: get the clips again."
                )
    return rows


@contextlib.contextmanager
def open_clips(path: Path) -> Iterator[list[LabelledClip]]:
    """Yield the clips that check_clips finds, in the order of their manifest; those of a zip file are unpacked for it.

    Raises DataError as check_clips, and where there is no room to unpack them.
    """
    rows = check_clips(path)
    with contextlib.nullcontext(path) if path.is_dir() else tempfile.TemporaryDirectory() as folder:
        if not path.is_dir():
            _unpack(path, folder)
        # Absolute, as a path that is a number alone would be taken for that of a camera.
        yield [LabelledClip(Path(folder, row.path).absolute(), row.path, *astuple(row)[1:]) for row in rows]


def parse_manifest(text: str, given: object) -> list[ManifestRow]:
    """Return the lines of the text of a manifest; given: what it belongs to, for the sentences.

    Raises DataError where a column, a value or every clip is missing, or a value is wrong.
    """
    reader = csv.DictReader(io.StringIO(text))
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{MANIFEST_FILE} in {given} has no column {', '.join(missing)}: clips need it.")
    rows = []
    for row in reader:
        try:
            rows.append(_parse(row))
        except ValueError as error:
            raise DataError(f"{MANIFEST_FILE} in {given}, line {reader.line_num}: {error}.") from error
    if not rows:
        raise DataError(f"{MANIFEST_FILE} in {given} names no clip.")
    return rows


def _parse(row: dict[str, str | None]) -> ManifestRow:
    path, label, source, subject, fps = (str(row[column] or "").strip() for column in _COLUMNS)
    if not path or not source:
        raise ValueError("the path or the source is missing")
    check_source(source)
    if label not in LABELS:
        raise ValueError(f"the label '{label}' is none of {', '.join(LABELS)}")
    try:
        rate = float(fps)
    except ValueError as error:
        raise ValueError(f"fps is '{fps}', which is not a number") from error
    if not rate > 0:
        raise ValueError("fps must be above 0")
    return ManifestRow(path, LABELS.index(label), source, subject, rate)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Path | zipfile.Path]:
    """Yield the folder, or what stands for one in a zip file."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise DataError(
            f"There are no clips at {path}: give a zip file or folder with {MANIFEST_FILE} in it, or a prepared set."
        )
    try:
        with zipfile.ZipFile(path) as pack:
            yield zipfile.Path(pack)
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is not a whole zip file: copy it again.") from error


def _unpack(path: Path, folder: str | Path) -> None:
    try:
        with zipfile.ZipFile(path) as pack:
            pack.extractall(folder)
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is not a whole zip file: copy it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be unpacked to {folder}: {error.strerror}.") from error
