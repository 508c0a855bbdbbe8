"""A pack of files: a zip file, or the folder that it was unpacked to, read in the same way."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from dfer_ros.core.errors import DataError
from dfer_ros.training.data.data_set import LayoutError


class Pack(Protocol):
    """What a zip file and a folder can both do; entries are paths with slashes."""

    filename: str | None

    def namelist(self) -> list[str]:
        """Return the entries that are files, and maybe folders."""
        ...

    def read(self, name: str, /) -> bytes:
        """Return the content of an entry; raises KeyError, BadZipFile or OSError where it cannot."""
        ...


class FolderPack:
    """A folder as a pack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.filename: str | None = str(folder)

    def namelist(self) -> list[str]:
        """Return the files under the folder."""
        return [path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file()]

    def read(self, name: str, /) -> bytes:
        """Return the content of a file."""
        return (self._folder / name).read_bytes()


def open_pack(root: Path, stem: str, landmark: str) -> Pack:
    """Return the pack at root: the zip file, its folder, or the folder that holds either of them by the name `stem`.

    landmark: an entry that the pack has at its top. Raises LayoutError where it has not, DataError for a damaged zip.
    """
    candidates = [root, root / stem, root / f"{stem}.zip"]
    place = next((place for place in candidates if place.is_file() or (place / landmark).exists()), None)
    if place is None:
        raise LayoutError(f"neither {stem}.zip nor {landmark} is in it")
    if place.is_dir():
        return FolderPack(place)
    try:
        pack = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{place} is not a whole zip file: get it again.") from error
    if not any(entry.startswith(landmark) for entry in pack.namelist()):
        raise LayoutError(f"{place} has no {landmark} in it")
    return pack


def read_entry(pack: Pack, entry: str) -> bytes:
    """Return the content of an entry. Raises DataError where it cannot be read."""
    try:
        return pack.read(entry)
    except KeyError as error:
        raise DataError(f"There is no {entry} in {pack.filename}.") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{entry} in {pack.filename} cannot be read: is the pack whole?") from error


@contextlib.contextmanager
def unpacked(pack: zipfile.ZipFile, entry: str) -> Iterator[Path]:
    """Yield the path of a copy of a file, or of a folder, of a zip file; it is gone after the `with`."""
    parts = [name for name in pack.namelist() if name == entry or name.startswith(f"{entry}/")]
    with tempfile.TemporaryDirectory(prefix="dfer_") as temporary:
        place = Path(temporary) / PurePosixPath(entry).name
        for part in parts:
            if not part.endswith("/"):
                target = place / part[len(entry) + 1 :] if part != entry else place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(read_entry(pack, part))
        yield place
