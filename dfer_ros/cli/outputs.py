"""Files that appear whole or not at all, and never in the place of something else."""

from __future__ import annotations

import contextlib
import errno
import glob
import math
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import cv2

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.recordings.video import sane_fps

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PART = ".part"
_LONGEST_STILL_SECONDS = 10.0


def check_outputs(inputs: Iterable[Path | None], outputs: Iterable[Path | None]) -> None:
    """Raise SourceError, before any work, for an output that cannot be written, is an input, or is given twice.

    None: not asked for.
    """
    read, written = [path for path in inputs if path], list[Path]()
    for output in filter(None, outputs):
        _target(output)
        for path in read:
            if _is_same_file(output, path):
                raise SourceError(f"{output} would replace {path}, which is read: choose another file.")
        if any(_is_same_file(output, path) for path in written):
            raise SourceError(f"{output} is to hold two things: they must be two files.")
        written.append(output)


@contextlib.contextmanager
def whole_path(path: Path, suffix: str = "") -> Iterator[Path]:
    """Yield a new empty file that gets the name `path` only if all goes well; links are followed.

    suffix: that the writer of the file needs. Raises SourceError where it cannot be written.
    """
    target = _target(path)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{_PART}{suffix}")
    try:
        with _told(path):
            part.touch(exist_ok=False)
            if target.exists():
                shutil.copymode(target, part)
        try:
            yield part
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise SourceError(
                f"{path} cannot be written ({error.strerror}): make room or choose another file."
            ) from error
        with _told(path):
            part.replace(target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Yield a text file that gets the name `path` only if all goes well; raises SourceError if it cannot be written."""
    with whole_path(path) as part, part.open("w", encoding="utf-8") as file:
        yield file


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove what processes that were killed have half written in a folder into which nobody writes now.

    name: of the file that it was to be; without it, of all.
    """
    name = name if name == "*" else glob.escape(name)
    for part in folder.glob(f"{name}.{'[0-9a-f]' * 8}{_PART}"):
        part.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """Return the file that is written for a path, its links followed.

    Raises SourceError where that is something else than a file, or cannot be written.
    """
    target = Path(os.path.realpath(path))
    with _told(path):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
            if not target.parent.is_dir():
                raise SourceError(f"{path} cannot be written: there is no folder {path.parent}.") from None
        if stat.S_ISDIR(mode):
            raise SourceError(f"{path} is a folder: name a file.")
        if not stat.S_ISREG(mode):
            raise SourceError(f"{path} is a device or a pipe, which cannot be replaced: name a file.")
        if target.exists() and not os.access(target, os.W_OK):
            raise SourceError(f"{path} is write-protected: choose another file, or allow to write it.")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise SourceError(f"{path} cannot be written: the folder {target.parent} is write-protected.")
    return target


def _is_same_file(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return False


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path} cannot be written ({error.strerror}): choose another file.") from error


class VideoOutput:
    """An MP4 file that gets its name when the `with` ends well. path None: nothing is written.

    fps: frames per second; a rate that no camera has becomes 30. The size is that of the first image; later ones of
    another size are scaled to it.
    """

    def __init__(self, path: Path | None, fps: float) -> None:
        if path is not None and path.suffix.lower() != ".mp4":
            raise SourceError(f"The video {path} must be an .mp4 file.")
        self._path = path
        # The encoder counts time in fractions whose denominator has sixteen bits.
        self._fps = round(sane_fps(fps), 2 if fps < 655.0 else 1)
        self._files = contextlib.ExitStack()
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start = -math.inf
        self._written = 0

    def __enter__(self) -> VideoOutput:
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._writer is not None:
            self._writer.release()
        self._files.__exit__(*failure)

    def write_at(self, image: Image, stamp: float) -> None:
        """Append an image as often as keeps the video in time, whatever was left out before its stamp (seconds).

        Where the stamps jump, back or by more than ten seconds, the video goes on without the jump.
        """
        due = (stamp - self._start) * self._fps + 0.01
        if not -self._fps < due - self._written < _LONGEST_STILL_SECONDS * self._fps:
            self._start, due = stamp - self._written / self._fps, self._written + 0.01
        for _ in range(math.floor(due) + 1 - self._written):
            self.write(image)

    def write(self, image: Image) -> None:
        """Append an image [H, W, 3] uint8 BGR."""
        if self._path is None:
            return
        self._written += 1
        if self._writer is None:
            self._size = (image.shape[1], image.shape[0])
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            part = self._files.enter_context(whole_path(self._path, ".mp4"))
            self._writer = cv2.VideoWriter(str(part), codec, self._fps, self._size)
            if not self._writer.isOpened():
                raise SourceError(f"{self._path} cannot be written: choose another place for the video.")
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(image)
