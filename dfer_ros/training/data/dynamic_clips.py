"""dynamic_clips: a small pack of ordinary videos, GIFs and CK+ sequences, for validation by source and subject.

Layout, as a folder or zip file:

    manifest.csv                    columns path, label, source, subject, fps, frames
    clips/*.mp4, *.gif              as recorded
    ckplus/<sequence>/*.jpg         whole sequences from onset to apex

Split: all of it is for testing. Clips are named <source>/<name>.
Labels: the seven classes by name. Source: the README that comes with the data packs.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path, PurePosixPath

from dfer_ros.core.errors import DataError
from dfer_ros.training.clips.labelled_clips import MANIFEST_FILE, ManifestRow, parse_manifest
from dfer_ros.training.data.aligned_packs import ASK
from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.packs import Pack, open_pack, read_entry, unpacked
from dfer_ros.training.data.prepared_set import one_label


def load(root: Path, _fold: int) -> list[Clip]:
    """Return the clips of the manifest."""
    pack = open_pack(root, "dynamic_clips", MANIFEST_FILE)
    text = read_entry(pack, MANIFEST_FILE).decode("utf-8-sig", errors="replace")
    return [_clip(pack, row) for row in parse_manifest(text, pack.filename)]


def _clip(pack: Pack, row: ManifestRow) -> Clip:
    name, target = f"{row.source}/{PurePosixPath(row.path).stem}", one_label(row.label)
    place = Path(str(pack.filename))
    if not isinstance(pack, zipfile.ZipFile):
        return Clip(name, "test", row.subject, target, place / row.path, row.fps)
    if not any(entry == row.path or entry.startswith(f"{row.path}/") for entry in pack.namelist()):
        raise DataError(f"{MANIFEST_FILE} in {pack.filename} names {row.path}, which is not in the pack.")
    return Clip(name, "test", row.subject, target, place, row.fps, partial(unpacked, pack, row.path))


DYNAMIC_CLIPS = DataSet(
    "dynamic_clips", "dynamic_clips", "clips", "57 videos, GIFs and CK+ sequences, for validation", ASK, load
)
