"""What an application calls: a recording, frames at hand, or a stream of images, with the shipped model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path

import numpy as np

from dfer_ros.core.errors import ImageError, SourceError
from dfer_ros.core.faces import Image
from dfer_ros.recordings.analysis import AnalyzedFrame, analyze_frame
from dfer_ros.recordings.frame_source import DEFAULT_FPS, Frame, FrameSource, Shortfall
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer, open_recording
from dfer_ros.streams.stamps import FrameOrder, RateLimiter, StampOrder


class IncompleteRecordingWarning(UserWarning):
    """Not all frames of a recording could be read: it is cut or damaged."""


def analyze_recording(source: str | Path, config: AnalysisConfig | None = None) -> Iterator[AnalyzedFrame]:
    """Yield the processed frames of a video, a folder of images or a rosbag2, with the faces and emotions in them.

    Raises SourceError where the recording cannot be read, ModelError or DetectorError where these cannot be used. Warns
    at the end (IncompleteRecordingWarning) where not all of its frames could be read.

    >>> import dfer_ros
    >>> for analyzed in dfer_ros.analyze_recording("talk.mp4"):
    ...     for face, emotion in zip(analyzed.faces, analyzed.emotions):
    ...         print(f"{analyzed.frame.stamp:.2f} s: {face.id} is {emotion.expression}, {emotion.confidence:.0%} sure")
    0.07 s: face1 is happy, ...
    """
    config = config or AnalysisConfig()
    analyzer = RecordingAnalyzer(config)
    opened = open_recording(str(source), config)
    return _warning_at_the_end(str(source), opened, analyzer.analyze(opened))


def _warning_at_the_end(name: str, source: FrameSource, analysis: Iterable[AnalyzedFrame]) -> Iterator[AnalyzedFrame]:
    yield from analysis
    if source.unreadable:
        sentence = f"{name}: {len(source.unreadable)} images could not be read; the first: {source.unreadable[0]}"
        warnings.warn(sentence, IncompleteRecordingWarning, stacklevel=2)
    if source.shortfall is not None:
        warnings.warn(f"{name}: {source.shortfall}", IncompleteRecordingWarning, stacklevel=2)


def analyze_frames(
    frames: Iterable[Image], fps: float = DEFAULT_FPS, config: AnalysisConfig | None = None
) -> Iterator[AnalyzedFrame]:
    """Yield the processed frames of an array [T, H, W, 3] uint8 BGR, or of any images [H, W, 3] in their order.

    fps: frames per second, above 0. Raises ImageError for what is no such image, and as analyze_recording() does.

    >>> import dfer_ros
    >>> from skimage import data
    >>> portrait = data.astronaut()[:, :, ::-1]  # RGB to BGR, as OpenCV reads images
    >>> *_, last = dfer_ros.analyze_frames([portrait] * 30)
    >>> [emotion.expression for emotion in last.emotions]
    ['happy']
    """
    return iter(RecordingAnalyzer(config or AnalysisConfig()).analyze(_FrameSequence(frames, fps)))


class StreamAnalyzer:
    """Answers one image after the other, as they come from a camera. Belongs to one thread.

    Raises ModelError or DetectorError where these cannot be used.

    >>> import dfer_ros
    >>> from skimage import data
    >>> analyzer = dfer_ros.StreamAnalyzer()
    >>> camera = ((index / 30, data.astronaut()[:, :, ::-1]) for index in range(30))
    >>> for stamp, image in camera:
    ...     analyzed = analyzer.process(image, stamp)
    >>> [emotion.expression for emotion in analyzed.emotions]
    ['happy']
    """

    def __init__(self, config: AnalysisConfig | None = None) -> None:
        config = config or AnalysisConfig()
        analyzer = RecordingAnalyzer(config)
        self._pipeline, self._recognizer = analyzer.create_stages()
        self._heads = analyzer.heads
        self._order = StampOrder()
        self._limiter = RateLimiter(config.frame_rate)
        self._index = 0

    def process(self, image: Image, stamp: float) -> AnalyzedFrame | None:
        """Return the faces and emotions of an image [H, W, 3] uint8 BGR, taken at stamp seconds.

        None where the image is not processed: it comes late, or sooner after the one before than frame_rate allows.
        A stamp that goes back by more than half a second begins a new stream: tracks and windows are cleared.
        Raises ImageError for what is no such image.
        """
        frame = Frame(self._index, stamp, _checked(image, self._index))
        self._index += 1
        if self._order.check(stamp) is FrameOrder.LATE or not self._limiter.accepts(stamp):
            return None
        located = self._pipeline.locate(frame.image, stamp)
        answer = analyze_frame(self._pipeline, self._recognizer, frame, located, self._heads)
        self._pipeline.finish()  # The image is the caller's, who may draw into it.
        return answer


class _FrameSequence:
    """Images at hand as a source of frames."""

    live = False

    def __init__(self, images: Iterable[Image], fps: float) -> None:
        if not fps > 0:
            raise SourceError(f"The frames per second must be above 0, not {fps}.")
        self.fps = fps
        self.frame_count = len(images) if isinstance(images, Sized) else 0
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
        self._images = images

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        for index, image in enumerate(self._images):
            yield Frame(index, index / self.fps, _checked(image, index))


def _checked(image: Image, index: int) -> Image:
    """Return an image that is one, in one piece in memory, as the detectors need it."""
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
        given = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"Frame {index} is no image: give an array [height, width, 3] of uint8, BGR, not {given}.")
    return np.ascontiguousarray(image)
