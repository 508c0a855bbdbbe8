"""Recorded and live video as a stream of stamped frames: files, folders of images, addresses, cameras by index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from dfer_ros.bags.reader import check_no_ros1, is_bag, is_storage_file
from dfer_ros.core.errors import SourceError
from dfer_ros.core.installed_files import at_home
from dfer_ros.recordings.frame_source import DEFAULT_FPS, Frame, FrameSource, Shortfall, sane_fps
from dfer_ros.recordings.image_files import AnimatedWebP, ImageFolder, is_animated_webp
from dfer_ros.recordings.video_file import VideoFile, is_address
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES


class Webcam:
    """A camera of this computer, by index."""

    frame_count = 0
    live = True

    def __init__(self, index: int) -> None:
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
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
    """Return the source that a user names: a camera index, a picture, a folder of pictures, a video, or an address.

    fps: frames per second of a folder of images. threads: of the decoder of a video, see VideoFile.
    Raises SourceError with a sentence where it cannot be opened.
    """
    if is_address(source):
        return VideoFile(source, threads)
    path = at_home(Path(source))
    if source.isdecimal() and not path.exists():
        return Webcam(int(source))
    check_no_ros1(path)
    if is_bag(path) or is_storage_file(path):
        raise SourceError(f"{path} is a bag, which 'dfer replay {path}' plays: give a video or a folder of images.")
    if path.is_dir():
        return ImageFolder(path, fps)
    if not path.exists():
        raise SourceError(
            f"There is no file or folder {path}: give a video file, a folder of images or a camera index."
        )
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return VideoFile(path, threads)
    return AnimatedWebP(path) if is_animated_webp(path) else ImageFolder(path, fps)
