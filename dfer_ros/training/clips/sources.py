"""Where labelled clips come from: prepared sets (`dfer data prepare`), the one door for training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.training.clips.faces import ClipFaces, prepared_clips
from dfer_ros.training.data.manifest import MANIFEST_FILE, MICRO
from dfer_ros.training.data.prepared_set import INDEX_FILE, PreparedSet, check_names, open_prepared_set

Clips = str | tuple[str, ...]
"""One or more prepared sets of clips in --data."""

OpenPart = Callable[[Path], PreparedSet]
"""From the folder of a prepared set to those of its samples that are wanted."""


def clip_paths(clips: Clips, data: Path) -> list[Path]:
    """Return where clips lie. Raises TrainingError where none are named."""
    names = (clips,) if isinstance(clips, str) else clips
    if not names:
        raise TrainingError("'clips' names nothing: give prepared sets of clips.")
    return [data / name for name in names]


def clip_names(paths: Sequence[Path]) -> str:
    """Return the names of some clips in one text, by which what is kept of them is known again."""
    return ", ".join(path.name for path in paths)


def open_training_part(folder: Path) -> PreparedSet:
    """Return the training split of a prepared set, or all of it where it has none, as packs for validation have.

    Micro-expressions are left out: they look neutral, and as examples of their label they would teach the wrong thing.
    """
    prepared = open_prepared_set(folder)
    training = prepared.split("train")
    part = training if training.samples else prepared
    return replace(part, samples=tuple(sample for sample in part.samples if MICRO not in sample.tags))


def check_clip_paths(paths: Sequence[Path], open_part: OpenPart = open_training_part) -> None:
    """Raise DataError for clips that are not there or cannot be used; no crop is read."""
    for path in paths:
        if not (path / INDEX_FILE).is_file():
            raise DataError(f"There are no prepared clips at {path}: {_remedy(path)}")
    opened = [open_part(path) for path in paths]
    check_names(opened)
    for prepared in opened:
        if not any(sample.clip for sample in prepared.samples):
            raise DataError(f"The prepared set {prepared.folder} holds stills only: give one that was made from clips.")


def labelled_faces(paths: Sequence[Path], open_part: OpenPart = open_training_part) -> list[ClipFaces]:
    """Return the faces of all clips, whose crops are read when they are asked for.

    Raises DataError for what is missing or cannot be used.
    """
    check_clip_paths(paths, open_part)
    return [faces for path in paths for faces in prepared_clips(open_part(path))]


def _remedy(path: Path) -> str:
    if path.suffix == ".zip" or (path / MANIFEST_FILE).is_file():
        return f"make them with 'dfer data prepare dynamic_clips --root {path} --output FOLDER', and give that folder."
    return "give the folder of a set that 'dfer data prepare' made."
