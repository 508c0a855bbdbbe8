"""Files and folders that appear whole or not at all, and never in the place of something else."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import shutil
import stat
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from dfer_ros.core.errors import OutputError, writable

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PART = ".part"
_MOST_NAME_BYTES = 200
"""Of the 255 that file systems take, so that the marks of what is half written have room behind it."""


def check_outputs(inputs: Iterable[Path | None], outputs: Iterable[Path | None]) -> None:
    """Raise OutputError, before any work, for an output that cannot be written, is an input, or is given twice.

    None: not asked for.
    """
    read, written = [path for path in inputs if path], list[Path]()
    for output in filter(None, outputs):
        _target(output)
        for path in read:
            if _is_same_file(output, path):
                raise OutputError(f"{output} would replace {path}, which is read: choose another file.")
        if any(_is_same_file(output, path) for path in written):
            raise OutputError(f"{output} is to hold two things: they must be two files.")
        written.append(output)


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Yield a new empty file, of the same suffix, that gets the name `path` only if all goes well; links are followed.

    Raises OutputError where it cannot be written; what was there before stays.
    """
    target = _target(path)
    part = target.with_name(f"{_shortened(target.name)}.{secrets.token_hex(4)}{_PART}{target.suffix}")
    try:
        with writable(path):
            part.touch(exist_ok=False)
            if target.exists():
                shutil.copymode(target, part)
        try:
            yield part
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise OutputError(
                f"{path} cannot be written ({error.strerror}): make room or choose another file."
            ) from error
        with writable(path):
            part.replace(target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Yield a text file that gets the name `path` only if all goes well; raises OutputError if it cannot be written."""
    with whole_path(path) as part, part.open("w", encoding="utf-8") as file:
        yield file


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder in `path` whose files are moved up into it only if all goes well.

    Raises OutputError where files cannot be written there; other files that were there stay.
    """
    make_folder(path)
    with writable(f"The folder {path}"):
        part = Path(tempfile.mkdtemp(prefix=f".{_PART}-", dir=path))
    try:
        yield part
        with writable(f"The folder {path}"):
            for file in sorted(part.iterdir()):
                file.replace(path / file.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.rmdir()  # goes only while it is empty


def make_folder(path: Path) -> Path:
    """Make a folder, if it is not there, and return it. Raises OutputError where that is not possible."""
    with writable(f"The folder {path}"):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_figure(figure: Any, path: Path) -> None:
    """Write a figure of matplotlib as a PNG file; raises OutputError where it cannot be written."""
    with whole_path(path) as part, warnings.catch_warnings():
        # Ids and names may have characters that no font here has; the picture shows a box for each.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(part, format="png")


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove what killed processes left half written in a folder; nobody may be writing into it.

    name: of the file that it was to be; without it, of all.
    """
    name = name if name == "*" else glob.escape(_shortened(name))
    for part in folder.glob(f"{name}.{'[0-9a-f]' * 8}{_PART}*"):
        part.unlink(missing_ok=True)


def _shortened(name: str) -> str:
    """Return a name, cut so that file systems take the longer name of a half-written file."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _MOST_NAME_BYTES else encoded[:_MOST_NAME_BYTES].decode("utf-8", "ignore")


def _target(path: Path) -> Path:
    """Return the file that is written for a path, its links followed.

    Raises OutputError where that is something else than a file, or cannot be written.
    """
    target = Path(os.path.realpath(path))
    with writable(path):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
            if not target.parent.is_dir():
                raise OutputError(f"{path} cannot be written: there is no folder {path.parent}.") from None
        if stat.S_ISDIR(mode):
            raise OutputError(f"{path} is a folder: name a file.")
        if not stat.S_ISREG(mode):
            raise OutputError(f"{path} is a device or a pipe, which cannot be replaced: name a file.")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(f"{path} is write-protected: choose another file, or allow to write it.")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise OutputError(f"{path} cannot be written: the folder {target.parent} is write-protected.")
    return target


def _is_same_file(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return False
