"""The annotated video of `dfer analyze` and `dfer demo`."""

from __future__ import annotations

import contextlib
import math
import tempfile
from pathlib import Path
from typing import Any

import cv2

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.recordings.frame_source import sane_fps

_LONGEST_STILL_SECONDS = 10.0


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
            part = self._files.enter_context(whole_path(self._path))
            # OpenCV takes no name that is not UTF-8, and some for patterns.
            plain = Path(self._files.enter_context(tempfile.TemporaryDirectory())) / "video.mp4"
            plain.symlink_to(part.absolute())
            self._writer = cv2.VideoWriter(str(plain), codec, self._fps, self._size)
            if not self._writer.isOpened():
                raise SourceError(f"{self._path} cannot be written: choose another place for the video.")
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(image)
