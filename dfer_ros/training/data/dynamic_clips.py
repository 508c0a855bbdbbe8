"""dynamic_clips: a small pack of ordinary videos, GIFs and CK+ sequences, for validation by source and subject.

Layout, as a folder or zip file:

    manifest.csv                    columns path, label, source, subject, fps, frames
    clips/*.mp4, *.gif              as recorded
    ckplus/<sequence>/*.jpg         whole sequences from onset to apex

Split: all of it is for testing. Clips are named <source>/<name>.
Labels: the seven classes by name. Source: the README that comes with the data packs.
"""

from __future__ import annotations

import csv
import io
import zipfile
from functools import partial
from pathlib import Path, PurePosixPath

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.aligned_packs import ASK
from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.layout import LabelMap, target_of
from dfer_ros.training.data.packs import open_pack, read_entry, unpacked

LABEL_MAP: LabelMap = {name: name for name in LABELS}
_MANIFEST = "manifest.csv"


def load(root: Path, _fold: int) -> list[Clip]:
    """Return the clips of the manifest."""
    pack = open_pack(root, "dynamic_clips", _MANIFEST)
    text = read_entry(pack, _MANIFEST).decode("utf-8-sig", errors="replace")
    clips = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        where = f"{_MANIFEST} in {pack.filename}, line {number}"
        try:
            entry, label, source, subject = (row[column].strip() for column in ("path", "label", "source", "subject"))
            fps = float(row["fps"])
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise DataError(f"{where} does not have a path, label, source, subject and fps.") from error
        if fps <= 0:
            raise DataError(f"{where} has {fps:g} frames per second.")
        target = target_of(LABEL_MAP, label, where)
        assert target is not None
        name = f"{source}/{PurePosixPath(entry).stem}"
        place = Path(str(pack.filename))
        if isinstance(pack, zipfile.ZipFile):
            _check_entry(pack, entry, where)
            clips.append(Clip(name, "test", subject, target, place, fps, partial(unpacked, pack, entry)))
        else:
            clips.append(Clip(name, "test", subject, target, place / entry, fps))
    return clips


def _check_entry(pack: zipfile.ZipFile, entry: str, where: str) -> None:
    if not any(name == entry or name.startswith(f"{entry}/") for name in pack.namelist()):
        raise DataError(f"{where} names {entry}, which is not in the pack.")


DYNAMIC_CLIPS = DataSet(
    "dynamic_clips", "dynamic_clips", "clips", "57 videos, GIFs and CK+ sequences, for validation", ASK, load
)
