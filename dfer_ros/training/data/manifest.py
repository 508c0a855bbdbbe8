"""The manifest of a pack of labelled clips: what each clip shows, who recorded it, and of what kind it is."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS

MANIFEST_FILE = "manifest.csv"
ALL_VIDEOS = "videos"
"""What the clips of all sources but sequences and micro-expressions are called together."""
CK_PLUS_SOURCE = "ckplus"
"""The source of sequences that run from neutral to the apex, so that the answer that counts stands at their end."""
MICRO = "micro"
"""The kind of micro-expressions: to an ordinary recogniser they look neutral, whatever their label."""
_COLUMNS = ("path", "label", "source", "subject", "fps")


@dataclass(frozen=True)
class ManifestRow:
    """A line of a manifest.

    path: of the clip, as written. label: index into LABELS. fps: of a folder of frames. kind: how the expression came
    about (posed, spontaneous, acted-speech, film, tv, synthetic, micro), empty where the manifest does not say it.
    """

    path: str
    label: int
    source: str
    subject: str
    fps: float
    kind: str = ""


def is_sequence(source: str) -> bool:
    """Return whether the clips of a source run from neutral to the apex, as those of CK+ do."""
    return source == CK_PLUS_SOURCE


def check_source(source: str) -> None:
    """Raise ValueError for what cannot name a source: the folders of runs, and a line of every table, are called so."""
    if source in ("", ".", "..", ALL_VIDEOS) or "/" in source:
        raise ValueError(f"the source '{source}' must be a name without slashes, and not '{ALL_VIDEOS}'")


def parse_manifest(text: str, given: object) -> list[ManifestRow]:
    """Return the lines of the text of a manifest; given: what it belongs to, for the sentences.

    Columns: path, label (one of LABELS), source, subject, fps, and maybe kind. Raises DataError where a column, a value
    or every clip is missing, or a value is wrong.
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
    kind = (row.get("kind") or "").strip()
    if any(letter.isspace() for letter in kind):
        raise ValueError(f"the kind '{kind}' must be one word")
    return ManifestRow(path, LABELS.index(label), source, subject, rate, kind)
