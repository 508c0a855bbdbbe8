"""What a data set is: a name, where to ask for it, and a loader that lists its stills and clips with their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import Image


@dataclass(frozen=True)
class Recording:
    """One labelled still or clip, as the data set has it on disk.

    name: relative path that names it in the prepared set; unique. split, subject, target: as of a Sample.
    path: the file or folder that it lies in. tags: as of a Sample.
    """

    name: str
    split: str
    subject: str
    target: tuple[float, ...]
    path: Path
    tags: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Still(Recording):
    """An image in which the face is still to be found.

    read: returns it, [H, W, 3] uint8 BGR; raises DataError where it cannot be decoded.
    """

    read: Callable[[], Image]


@dataclass(frozen=True)
class AlignedStill(Recording):
    """A crop that is aligned already; its name has the suffix of the file. read: returns the content of that file."""

    read: Callable[[], bytes]


@dataclass(frozen=True)
class Clip(Recording):
    """A video, GIF or folder of frames. fps: frames per second of a folder.

    unpacked: gives the path of it for as long as it is read; None where `path` is that already.
    """

    fps: float
    unpacked: Callable[[], AbstractContextManager[Path]] | None = None


class LayoutError(Exception):
    """A file or folder that the layout of a data set asks for is not there: its message names it."""


@dataclass(frozen=True)
class DataSet:
    """A data set that can be prepared.

    name: in commands. title: in sentences. kind: stills or clips. what: one phrase. ask: the official page, or who.
    loader: lists the recordings under a root folder (or zip file) for a fold; raises LayoutError, or DataError.
    folds: of the published or subject-independent cross-validation, numbered from 1; 0 where there is one split.
    """

    name: str
    title: str
    kind: str
    what: str
    ask: str
    loader: Callable[[Path, int], Sequence[Recording]]
    folds: int = 0

    def recordings(self, root: Path, fold: int | None = None) -> list[Recording]:
        """Return what lies under `root`; fold: None for the first, or the only split.

        Raises DataError where it has another layout, a label that is not known, or is not there at all.
        """
        if fold is not None and not 1 <= fold <= self.folds:
            offer = f"the folds 1 to {self.folds}" if self.folds else "one split and no folds: leave --fold out"
            raise DataError(f"{self.title} has no fold {fold}: it has {offer}.")
        if not root.exists():
            raise DataError(f"There is no {root}: {self._remedy}")
        try:
            found = list(self.loader(root, fold or 1))
        except LayoutError as error:
            raise DataError(f"{root} does not look like {self.title} ({error}): {self._remedy}") from error
        except OSError as error:
            raise DataError(f"{error.filename or root} of {self.title} cannot be read: {error.strerror}.") from error
        if not found:
            raise DataError(f"{root} holds nothing of {self.title} with one of the seven labels: {self._remedy}")
        return found

    @property
    def _remedy(self) -> str:
        return f"give --root {self.title} as it is published, which can be had from {self.ask}."
