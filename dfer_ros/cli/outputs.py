"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import cv2

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image


def part_of(path: Path) -> Path:
    """Return the name of a file while it is written."""
    return path.with_name(path.name + ".part")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Yield a text file that gets the name `path` only if all goes well; raises SourceError if it cannot be written."""
    part = part_of(path)
    try:
        file = part.open("w", encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path} cannot be written ({error.strerror}): choose another file.") from error
    try:
        with file:
            yield file
        part.replace(path)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise SourceError(f"{path} cannot be written ({error.strerror}): make room or choose another file.") from error
    finally:
        part.unlink(missing_ok=True)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LONGEST_STILL_SECONDS = 10.0


class VideoOutput:
    """An MP4 file that gets its name when the `with` ends well. path None: nothing is written.

    The size is that of the first image; later ones of another size are scaled to it.
    """

    def __init__(self, path: Path | None, fps: float) -> None:
        if path is not None and path.suffix.lower() != ".mp4":
            raise SourceError(f"The video {path} must be an .mp4 file.")
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start = -math.inf
        self._written = 0

    def __enter__(self) -> VideoOutput:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if self._writer is None or self._path is None:
            return
        self._writer.release()
        if failure is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        assert self._path is not None
        return self._path.with_suffix(".part.mp4")

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
            self._writer = cv2.VideoWriter(str(self._part), codec, self._fps, self._size)
            if not self._writer.isOpened():
                raise SourceError(f"{self._path} cannot be written: choose another place for the video.")
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(image)
