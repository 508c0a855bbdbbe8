"""Packs of labelled clips with a manifest: dynamic_clips and dynamic_clips_2, or one's own, a folder or a zip file.

Layout, as a folder or zip file:

    manifest.csv                    columns path, label, source, subject, fps, and maybe kind
    clips/*.mp4, *.gif              as recorded
    ckplus/<sequence>/*.jpg         whole sequences from onset to apex

Split: all of it is for testing; training takes it as well, and is then tested on each source by a model that never saw
it. Clips are named <source>/<name>, and their kind is their tag.
Labels: the seven classes by name. Source: the README that comes with the data packs.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path, PurePosixPath

from dfer_ros.core.errors import DataError
from dfer_ros.training.data.aligned_packs import ASK
from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.manifest import MANIFEST_FILE, ManifestRow, parse_manifest
from dfer_ros.training.data.prepared_set import one_label
from dfer_ros.training.data.zip_or_folder import Pack, open_pack, read_entry, unpacked


def load(stem: str, root: Path, _fold: int) -> list[Clip]:
    """Return the clips of the manifest of a pack. stem: the name of its zip file or folder."""
    pack = open_pack(root, stem, MANIFEST_FILE)
    text = read_entry(pack, MANIFEST_FILE).decode("utf-8-sig", errors="replace")
    return [_clip(pack, row) for row in parse_manifest(text, pack.filename)]


def _clip(pack: Pack, row: ManifestRow) -> Clip:
    name, target = f"{row.source}/{PurePosixPath(row.path).stem}", one_label(row.label)
    place, tags = Path(str(pack.filename)), (row.kind,) if row.kind else ()
    if not isinstance(pack, zipfile.ZipFile):
        return Clip(name, "test", row.subject, target, place / row.path, row.fps, tags=tags)
    if not any(entry == row.path or entry.startswith(f"{row.path}/") for entry in pack.namelist()):
        raise DataError(f"{MANIFEST_FILE} in {pack.filename} names {row.path}, which is not in the pack.")
    return Clip(name, "test", row.subject, target, place, row.fps, partial(unpacked, pack, row.path), tags=tags)


DYNAMIC_CLIPS = DataSet(
    "dynamic_clips",
    "dynamic_clips",
    "clips",
    "57 videos, GIFs and CK+ sequences, or any folder or zip file with a manifest.csv",
    ASK,
    partial(load, "dynamic_clips"),
)
DYNAMIC_CLIPS_2 = DataSet(
    "dynamic_clips_2",
    "dynamic_clips_2",
    "clips",
    "120 clips of films, television, speech, posed and spontaneous, and 94 of micro-expressions",
    ASK,
    partial(load, "dynamic_clips_2"),
)
