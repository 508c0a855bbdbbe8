"""A recording through the same objects as the live graph, frame by frame and deterministic, without ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, TypeVar

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Detection, Face, box_within
from dfer_ros.core.head_pose import HeadPose, HeadPoses
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.recordings.answer_file import answer_line, answer_object, head_pose_object
from dfer_ros.recordings.frame_source import Frame, FrameSource
from dfer_ros.streams.stamps import FrameOrder, RateLimiter, StampOrder


@dataclass(frozen=True)
class AnalyzedFrame:
    """A processed frame, its confirmed faces and, in the same order, their emotions.

    head_poses: in that order too, None for a face of which it cannot be told; None where nobody asked for them.
    """

    frame: Frame
    faces: list[Face]
    emotions: list[Emotion]
    head_poses: list[HeadPose | None] | None = None

    def roi(self, face: Face) -> tuple[int, int, int, int]:
        """Return the part of a face's box that is in the image: x, y, width, height in pixels."""
        return box_within(face.detection.box, self.frame.image.shape[1], self.frame.image.shape[0])

    def lines(self) -> Iterator[str]:
        """Yield the lines of the JSONL file: one for each face."""
        for index, (face, emotion) in enumerate(zip(self.faces, self.emotions)):
            answer = answer_object(self.frame.stamp, self.frame.index, self.roi(face), emotion)
            if self.head_poses is not None:
                answer["head_pose"] = head_pose_object(self.head_poses[index])
            yield answer_line(answer)


class Analysis:
    """The frames of a source that are processed at frame_rate (Hz, at most), with what is seen in them; walked once.

    ahead: 0 does all in the caller's thread. Else frames are read in a second thread and faces located in a third,
    each up to so many frames ahead; the answers are the same, as every part sees every frame in its order.
    order: how the stamps of all frames read so far follow each other. Those that come late are not processed, nor those
    that have the stamp of one before, whatever frame_rate is. heads: tells the head poses as well.
    """

    def __init__(
        self,
        source: FrameSource,
        pipeline: FacePipeline,
        recognizer: Recognizer,
        frame_rate: float,
        ahead: int = 0,
        heads: HeadPoses | None = None,
    ) -> None:
        self.order = StampOrder()
        self._source = source
        self._pipeline = pipeline
        self._recognizer = recognizer
        self._limiter = RateLimiter(frame_rate)
        self._ahead = ahead
        self._heads = heads

    def __iter__(self) -> Iterator[AnalyzedFrame]:
        frames = self._processed()
        first = list(islice(frames, self._pipeline.confirm_frames))
        # A picture, or a clip so short that no face could be confirmed: nothing is gained by silence there.
        self._pipeline.confirm_frames = max(1, len(first))
        frames = read_ahead(chain(first, frames), self._ahead)
        seen = ((frame, self._pipeline.locate(frame.image, frame.stamp)) for frame in frames)
        for frame, located in read_ahead(seen, self._ahead):
            yield analyze_frame(self._pipeline, self._recognizer, frame, located, self._heads)

    def _processed(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            if self.order.check(frame.stamp) is not FrameOrder.LATE and self._limiter.accepts(frame.stamp):
                yield frame


def analyze_frame(
    pipeline: FacePipeline,
    recognizer: Recognizer,
    frame: Frame,
    located: Sequence[tuple[str, Detection]],
    heads: HeadPoses | None = None,
) -> AnalyzedFrame:
    """Return the faces of a frame that were located in it, their emotions and, with heads, their head poses."""
    faces = pipeline.align(frame.image, located)
    emotions = recognizer.update(frame.stamp, [face.seen for face in faces])
    return AnalyzedFrame(frame, faces, emotions, None if heads is None else heads.of(frame.image, faces))


T = TypeVar("T")


class _End:
    pass


_END: Final = _End()


def read_ahead(items: Iterator[T], most: int) -> Iterator[T]:
    """Yield the same items in the same order; up to `most` of them are made ahead, in one thread beside.

    most: 0 starts no thread. What the iterator raises is raised here, in its turn. The thread ends with the iteration,
    whether whole or not.
    """
    if most == 0:
        yield from items
        return
    with ThreadPoolExecutor(1) as thread:
        coming: deque[Future[T | _End]] = deque(thread.submit(next, items, _END) for _ in range(most))
        try:
            while not isinstance(item := coming.popleft().result(), _End):
                coming.append(thread.submit(next, items, _END))
                yield item
        finally:
            for future in coming:
                future.cancel()
