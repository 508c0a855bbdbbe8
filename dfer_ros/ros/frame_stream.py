"""Takes one stream of frames through a node: in order, at most at the frame rate, and only the newest frame."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from rclpy.node import Node
from std_msgs.msg import Header

from dfer_ros.core.errors import ImageError
from dfer_ros.ros.latest_worker import LatestWorker
from dfer_ros.ros.messages import header_seconds
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.streams.health import repeats_in_words
from dfer_ros.streams.stamps import FrameConfig, FrameOrder, RateLimiter, StampOrder, UsableStamps
from dfer_ros.streams.statistics import DropReason, StreamStatistics


class _Stamped(Protocol):
    @property
    def header(self) -> Header: ...


class _WithFrames(Protocol):
    @property
    def frames(self) -> FrameConfig: ...


Message = TypeVar("Message", bound=_Stamped)
Config = TypeVar("Config", bound=_WithFrames)

StreamWorker = LatestWorker[tuple["FrameStream[Any, Any]", str]]
"""The worker of the streams of a node, which keeps the newest frame of each of their cameras."""


_NAMED_AFTER_SECONDS = 2.0
"""From the first stamp that repeats; then enough were seen to tell of how many."""


class _Camera:
    """What one camera of a stream is remembered by. first_repeat: when a stamp repeated first, None before."""

    def __init__(self, frame_rate: float) -> None:
        self.first_repeat: float | None = None
        self.named = False
        self.stamps = UsableStamps()
        self.order = StampOrder()
        self.limiter = RateLimiter(frame_rate)


class FrameStream(ABC, Generic[Message, Config]):
    """Takes in messages with a header in the thread that brings them, and has them processed in the worker's.

    A stream says in subscribe() what it listens to, in process() what it does with a message, and in close() what it
    leaves. config: that of its node; another one takes its place when a parameter changes.
    statistics: counts every message and what became of it.
    """

    def __init__(self, node: Node, log: ThrottledLog, statistics: StreamStatistics, config: Config) -> None:
        self.node = node
        self.log = log
        self.config = config
        self._statistics = statistics
        self._cameras: dict[str, _Camera] = {}
        self._unsubscribe: Callable[[], None] | None = None

    @abstractmethod
    def subscribe(self, receive: Callable[[Message], None]) -> Callable[[], None]:
        """Have receive called with every message, and return what ends that."""

    def check(self, message: Message) -> None:
        """Raise ImageError early for a message that process() would refuse, so that its stamp does not count."""

    def prepare(self, message: Message, stamp: float) -> None:
        """Do what process() of this stream and of others, for messages that wait beside this one, can do together."""

    @abstractmethod
    def process(self, message: Message, stamp: float) -> int:
        """Answer a message, and return how many faces it has.

        stamp: seconds, of the message where that is usable: see usable_stamp().
        """

    def finish(self) -> None:
        """Do what the next message needs and the answer to this one did not have to wait for."""

    def camera_of(self, message: Message) -> str:
        """Return the camera that a message comes from, where a stream has several; each has an order of its own."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """Destroy the publishers."""

    def configure(self, config: Config) -> None:
        """Take over a configuration in which a parameter was changed."""
        self.config = config

    def listen(self, worker: StreamWorker) -> None:
        """Begin to take in messages, to be processed by the worker."""
        self._worker = worker
        self._unsubscribe = self.subscribe(self._receive)

    def stop_receiving(self) -> None:
        """Take in no more messages; the worker may still have some."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def pause(self) -> None:
        """Take back what was said of now, once the worker is done."""

    def drop_waiting(self) -> None:
        """Count the message that was still waiting when the worker was closed."""
        self._statistics.dropped(DropReason.DISABLED)

    def _receive(self, message: Message) -> None:
        arrived = time.monotonic()
        self._statistics.received(arrived)
        try:
            self.check(message)
        except ImageError as error:
            self._statistics.dropped(DropReason.UNUSABLE)
            self.log.error(error)
            return
        name = self.camera_of(message)
        if name not in self._cameras:
            self._cameras[name] = _Camera(self.config.frames.frame_rate)
        camera = self._cameras[name]
        told = header_seconds(message.header)
        stamp = camera.stamps.usable(told, self.now())
        if camera.stamps.repeated:
            self._statistics.repeated()
            self._name_repeats(camera, arrived)
        taken = told if camera.stamps.told else stamp
        if camera.limiter.rate != self.config.frames.frame_rate:
            camera.limiter.rate = self.config.frames.frame_rate
        if camera.order.check(stamp) is FrameOrder.LATE:
            self._statistics.dropped(DropReason.LATE_STAMP)
        elif not camera.limiter.accepts(stamp):
            self._statistics.dropped(DropReason.FRAME_RATE)
        elif self._worker.put(lambda: self._prepare(camera, message, stamp, taken, arrived), (self, name)):
            self._statistics.dropped(DropReason.REPLACED)

    def _name_repeats(self, camera: _Camera, now: float) -> None:
        """Say once that the stamps of a camera repeat."""
        camera.first_repeat = camera.first_repeat or now
        if camera.named or now - camera.first_repeat < _NAMED_AFTER_SECONDS:
            return
        sentence = repeats_in_words(self._statistics.snapshot(now))
        camera.named = bool(sentence)
        if sentence:
            self.log.warning(sentence)

    def _prepare(
        self, camera: _Camera, message: Message, stamp: float, taken: float, arrived: float
    ) -> Callable[[], None] | None:
        """Begin the work on a message, and return what ends it."""
        if time.monotonic() - arrived > self.config.frames.max_wait_seconds:
            self._statistics.dropped(DropReason.WAITED)
            return None
        with self._counted_failure(camera, stamp):
            self.prepare(message, stamp)
        return lambda: self._work(camera, message, stamp, taken)

    def _work(self, camera: _Camera, message: Message, stamp: float, taken: float) -> None:
        with self._counted_failure(camera, stamp):
            faces = self.process(message, stamp)
        self._statistics.processed(time.monotonic(), self.now() - taken, faces)
        self.finish()

    @contextmanager
    def _counted_failure(self, camera: _Camera, stamp: float) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            unusable = isinstance(error, ImageError)
            if unusable:
                camera.limiter.give_back(stamp)
            self._statistics.dropped(DropReason.UNUSABLE if unusable else DropReason.FAILED)
            raise

    def now(self) -> float:
        """Return the time of the node's clock in seconds."""
        return self.node.get_clock().now().nanoseconds * 1e-9
