"""Recorded and live video as a stream of stamped frames: video files, folders of images, cameras by index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES

DEFAULT_FPS = 30.0


@dataclass(frozen=True)
class Frame:
    """index: 0, 1, 2 ... in the source. stamp: seconds since its first frame (bags: since 1970). image: BGR uint8."""

    index: int
    stamp: float
    image: Image


class FrameSource(Protocol):
    """A stream of frames that can be walked once.

    fps: nominal frames per second. frame_count: how many frames are expected, 0 where nobody knows.
    live: whether frames come when the camera has them, instead of when they are asked for.
    unreadable: a sentence for each image that was passed over so far.
    """

    fps: float
    frame_count: int
    live: bool
    unreadable: list[str]

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; raises SourceError where the source ends before its time."""
        ...


class VideoFile:
    """A video or GIF that OpenCV can read. Raises SourceError where it cannot.

    threads: of the decoder, None leaves them to OpenCV, which takes as many as there are cores.
    """

    live = False

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.unreadable: list[str] = []
        self._path = path
        self._options: list[int] = []
        # OpenCV before 4.6 cannot be told.
        if threads is not None and hasattr(cv2, "CAP_PROP_N_THREADS"):
            self._options = [cv2.CAP_PROP_N_THREADS, threads]
        capture = self._open()
        self.fps = sane_fps(capture.get(cv2.CAP_PROP_FPS))
        self.frame_count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        capture.release()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; the stamps are those of the file, or follow its frame rate where it has none."""
        capture = self._open()
        index, stamp = 0, -1.0
        try:
            while True:
                read, image = capture.read()
                if not read:
                    break
                told = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
                stamp = told if told > stamp else (stamp + 1.0 / self.fps if index else 0.0)
                yield Frame(index, stamp, image)
                index += 1
        finally:
            capture.release()
        if index == 0:
            raise SourceError(f"{self._path} holds no frame that OpenCV can decode: is it a whole video file?")

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, self._options)
        if not capture.isOpened():
            raise SourceError(f"OpenCV cannot open {self._path} as a video: is it a whole video file?")
        return capture


class ImageFolder:
    """A folder of images as video, in the natural order of their names (2 before 10)."""

    live = False

    def __init__(self, path: Path, fps: float) -> None:
        self.fps = fps
        self.unreadable: list[str] = []
        self._files = sorted(
            (file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES), key=_natural_key
        )
        self.frame_count = len(self._files)
        if not self._files:
            raise SourceError(f"There are no images in {path}: looked for {', '.join(IMAGE_SUFFIXES)}.")

    def frames(self) -> Iterator[Frame]:
        """Yield the images, stamped by the frame rate."""
        for index, file in enumerate(self._files):
            image = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if image is None:
                self.unreadable.append(f"The image {file} cannot be decoded: remove it or save it again.")
                continue
            yield Frame(index, index / self.fps, image)


class Webcam:
    """A camera of this computer, by index."""

    frame_count = 0
    live = True

    def __init__(self, index: int) -> None:
        self.unreadable: list[str] = []
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise SourceError(f"Camera {index} cannot be opened: is it plugged in, free, and readable (group video)?")
        self.fps = sane_fps(self._capture.get(cv2.CAP_PROP_FPS))
        self._name = index

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come, stamped by the camera's nominal rate."""
        index = 0
        while True:
            read, image = self._capture.read()
            if not read:
                raise SourceError(f"Camera {self._name} stopped giving images: is it still plugged in?")
            yield Frame(index, index / self.fps, image)
            index += 1


def open_source(source: str, fps: float = DEFAULT_FPS, threads: int | None = None) -> FrameSource:
    """Return the source that a user names: a camera index such as `0`, a folder of images, or a video file.

    fps: frames per second of a folder of images. threads: of the decoder of a video, see VideoFile.
    Raises SourceError with a sentence where it cannot be opened.
    """
    if source.isdecimal():
        return Webcam(int(source))
    path = Path(source).expanduser()
    if path.is_dir():
        return ImageFolder(path, fps)
    if not path.exists():
        raise SourceError(
            f"There is no file or folder {path}: give a video file, a folder of images or a camera index."
        )
    return VideoFile(path, threads)


def sane_fps(fps: float) -> float:
    """Return a frame rate (Hz) as it is, or 30 for one that no camera has."""
    return fps if 0.5 <= fps <= 1000.0 else DEFAULT_FPS


def _natural_key(path: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
