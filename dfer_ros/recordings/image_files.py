"""Single pictures, animated ones as well, and folders of them as video: upright, as the EXIF orientation says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.errors import ImageError, SourceError, readable
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import decode_image
from dfer_ros.recordings.frame_source import Frame, Shortfall, sane_fps
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES, is_hidden


class ImageFolder:
    """A folder of images as video, in the natural order of their names (2 before 10), or a single image.

    What is hidden is passed over. All have the size of the first.
    """

    live = False

    def __init__(self, path: Path, fps: float) -> None:
        self.fps = fps
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
        with readable(path):
            files = [path] if path.is_file() else [file for file in path.iterdir() if _is_image(file)]
        self._files = sorted(files, key=_natural_key)
        self.frame_count = len(self._files)
        if not self._files:
            raise SourceError(f"There are no images in {path}: looked for {', '.join(IMAGE_SUFFIXES)}.")

    def frames(self) -> Iterator[Frame]:
        """Yield the images, stamped by the frame rate."""
        for index, file in enumerate(self._files):
            try:
                image = _read_image(file)
            except (ImageError, OSError):
                self.unreadable.append(f"The image {file} cannot be decoded: remove it or save it again.")
                continue
            yield Frame(index, index / self.fps, image)


class AnimatedWebP:
    """A picture that moves, in WebP, which FFmpeg does not read. Raises SourceError where OpenCV does not either.

    Stamps follow the time that each picture is shown.
    """

    live = False

    def __init__(self, path: Path) -> None:
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
        # OpenCV takes no name that is not UTF-8.
        with readable(path), path.open("rb") as file:
            read = hasattr(cv2, "imreadanimation") and cv2.imreadanimation(f"/proc/self/fd/{file.fileno()}")
        if not read or not read[0]:
            raise SourceError(
                f"{path} is an animated WebP, which OpenCV {cv2.__version__} cannot read: copy it again if it is "
                "damaged, or convert it to GIF."
            )
        self._animation = read[1]
        self.frame_count = len(self._animation.frames)
        self.fps = sane_fps(1e3 * self.frame_count / max(1, sum(self._animation.durations)))

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures."""
        stamp = 0.0
        for index, (picture, duration) in enumerate(zip(self._animation.frames, self._animation.durations)):
            yield Frame(index, stamp, np.ascontiguousarray(picture[..., :3]))
            stamp += max(1e-3 * duration, 1e-3)


def is_animated_webp(file: Path) -> bool:
    """Return whether a file begins as a picture in WebP that moves."""
    with readable(file), file.open("rb") as opened:
        begin = opened.read(21)
    return begin[12:16] == b"VP8X" and len(begin) == 21 and bool(begin[20] & 2)


def _read_image(file: Path) -> Image:
    # OpenCV's own way to a file takes no name that is not UTF-8.
    return decode_image(file.read_bytes())


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(file)


def _natural_key(path: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
