"""Single pictures, and folders of them as video: upright, as the EXIF orientation says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dfer_ros.core.errors import ImageError, SourceError, readable
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import decode_image
from dfer_ros.recordings.frame_source import Frame, Shortfall
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
                image = _read(file)
            except (ImageError, OSError):
                self.unreadable.append(f"The image {file} cannot be decoded: remove it or save it again.")
                continue
            yield Frame(index, index / self.fps, image)


def _read(file: Path) -> Image:
    # OpenCV's own way to a file takes no name that is not UTF-8.
    content = file.read_bytes()
    if content[12:16] == b"VP8X" and content[20] & 2:
        raise SourceError(f"{file} is an animated WebP, which neither OpenCV nor FFmpeg reads here: convert it to GIF.")
    return decode_image(content)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(file)


def _natural_key(path: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
