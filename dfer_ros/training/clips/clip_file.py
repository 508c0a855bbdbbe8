"""Clips in one .npz file: who shows what in each clip, and arrays with one row for each of its frames."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import DataError

Frames = npt.NDArray[Any]
"""[F, ...], one row for each frame."""

_TEXTS = ("name", "source", "subject", "kind")
_OF_CLIPS = (*_TEXTS, "label", "length")
_OF = "of"
"""What clips were made from; files of older versions do not say it."""


class DescribedClip(Protocol):
    """What every clip has. label: index into LABELS."""

    @property
    def name(self) -> str:
        """Name of the clip, which no other has."""
        ...

    @property
    def label(self) -> int:
        """Index into LABELS."""
        ...

    @property
    def source(self) -> str:
        """Where the clip comes from, such as a data set."""
        ...

    @property
    def subject(self) -> str:
        """Who is seen; empty where that is not known."""
        ...

    @property
    def kind(self) -> str:
        """What the clip is, by manifest.py."""
        ...


class StoredClip(NamedTuple):
    """A clip as it was written. frames: the arrays in the order in which they were asked for."""

    name: str
    label: int
    source: str
    subject: str
    kind: str
    frames: tuple[Frames, ...]


def write_clips(path: Path, clips: Sequence[DescribedClip], frames: Mapping[str, Sequence[Frames]], of: str) -> None:
    """Write clips and, by name, one array for each of them; the file appears whole or not at all.

    Arrays of one name are alike but in their first dimension. of: what the clips were made from.
    Raises TrainingError where the file cannot be written.
    """
    columns: dict[str, Frames] = {key: _texts(getattr(clip, key) for clip in clips) for key in _TEXTS}
    columns[_OF] = np.array(of)
    columns["label"] = np.array([clip.label for clip in clips], dtype=np.int64)
    columns["length"] = np.array([len(one) for one in next(iter(frames.values()))], dtype=np.int64)
    columns |= {key: np.concatenate(arrays) for key, arrays in frames.items()}
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(file, **columns)


def read_clips(path: Path, keys: Sequence[str], what: str, of: str) -> list[StoredClip]:
    """Return the clips that write_clips wrote, with the arrays named in keys.

    what: what the file holds, in words. of: what the clips must have been made from; empty takes any.
    Raises DataError where the file is missing, damaged or of others.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            columns = {key: stored[key] for key in (*_OF_CLIPS, *keys)}
            made_of = str(stored[_OF]) if _OF in stored else ""
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}: make the {what} first.") from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a file of {what}, or damaged: delete it to make it again.") from error
    if of and made_of and of != made_of:
        raise DataError(
            f"{path} holds the {what} of {made_of}, not of {of}: choose another --name, or delete that file."
        )
    ends = np.cumsum(columns["length"])[:-1]
    frames = zip(*(np.split(columns[key], ends) for key in keys))
    names, sources, subjects, kinds, labels = (columns[key].tolist() for key in (*_TEXTS, "label"))
    return [StoredClip(*row) for row in zip(names, labels, sources, subjects, kinds, frames)]


def _texts(values: Iterable[str]) -> npt.NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)
