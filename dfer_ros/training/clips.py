"""Labelled clips on disk: a zip file or a folder of videos and frame folders with a manifest."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS

MANIFEST_FILE = "manifest.csv"
_COLUMNS = ("path", "label", "source", "subject", "fps")
_SEQUENCE_SOURCES = ("ckplus",)
"""Sources whose clips run from neutral to the apex, so that the answer that counts stands at their end."""


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
    return source in _SEQUENCE_SOURCES


@contextlib.contextmanager
def open_clips(path: Path) -> Iterator[list[LabelledClip]]:
    """Yield the clips of a zip file, unpacked until the `with` ends, or of a folder, in the order of their manifest.

    manifest.csv: path, label (one of LABELS), source, subject, fps. Raises DataError where that is not so.
    """
    if path.is_dir():
        yield _read_manifest(path, path)
        return
    if not path.is_file():
        raise DataError(f"There are no clips at {path}: give a zip file or a folder with {MANIFEST_FILE} in it.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as pack:
                pack.extractall(folder)
        except zipfile.BadZipFile as error:
            raise DataError(f"{path} is not a whole zip file: copy it again.") from error
        except OSError as error:
            raise DataError(f"{path} cannot be unpacked to {folder}: {error.strerror}.") from error
        yield _read_manifest(Path(folder), path)


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
    if label not in LABELS:
        raise ValueError(f"the label '{label}' is none of {', '.join(LABELS)}")
    try:
        rate = float(fps)
    except ValueError as error:
        raise ValueError(f"fps is '{fps}', which is not a number") from error
    if not rate > 0:
        raise ValueError("fps must be above 0")
    return ManifestRow(path, LABELS.index(label), source, subject, rate)


def _read_manifest(folder: Path, given: Path) -> list[LabelledClip]:
    """Return the clips of a folder; given: what the user named, for the sentences."""
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        raise DataError(
            f"There is no {MANIFEST_FILE} in {given}: clips come with one, with the columns {', '.join(_COLUMNS)}."
        )
    rows = parse_manifest(manifest.read_text(encoding="utf-8-sig", errors="replace"), given)
    for row in rows:
        if not (folder / row.path).exists():
            raise DataError(f"{MANIFEST_FILE} in {given} names '{row.path}', which is not there: get the clips again.")
    return [LabelledClip(folder / row.path, row.path, row.label, row.source, row.subject, row.fps) for row in rows]
