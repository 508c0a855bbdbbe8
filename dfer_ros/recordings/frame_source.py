"""What every reader of recordings is to those who walk its frames, and what it says of frames that it lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dfer_ros.core.faces import Image

DEFAULT_FPS = 30.0
INCOMPLETE_CODE = 4
"""Exit code of whatever did its work well, on a recording of which not all frames could be read."""


@dataclass(frozen=True)
class Frame:
    """index: 0, 1, 2 ... in the source. stamp: seconds since its first frame (bags: since 1970). image: BGR uint8."""

    index: int
    stamp: float
    image: Image


@dataclass(frozen=True)
class Shortfall:
    """How many frames of a source could be read whole, where that is not all of them.

    read: frames that could. expected: frames that the file announces, or whose damaged data were met.
    reason: why, as the end of a sentence.
    """

    read: int
    expected: int
    reason: str

    def __str__(self) -> str:
        return f"only {self.read} of {self.expected} frames could be read: {self.reason}."


class FrameSource(Protocol):
    """A stream of frames that can be walked once.

    fps: nominal frames per second. frame_count: how many frames are expected, 0 where nobody knows.
    live: whether frames come when the camera has them, instead of when they are asked for.
    unreadable: a sentence for each image that was passed over so far. remarks: sentences about the images that were
    read. shortfall: what was found to be missing when the frames had been walked; None where nothing is.
    """

    fps: float
    frame_count: int
    live: bool
    unreadable: list[str]
    remarks: list[str]
    shortfall: Shortfall | None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; raises SourceError where none can be read."""
        ...


def sane_fps(fps: float) -> float:
    """Return a frame rate (Hz) as it is, or 30 for one that no camera has."""
    return fps if 0.5 <= fps <= 1000.0 else DEFAULT_FPS
