"""One stream of frames through a node: in order, at most at the frame rate, the newest only, none that waited long."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from rclpy.node import Node
from std_msgs.msg import Header

from dfer_ros.core.errors import ImageError
from dfer_ros.core.stamps import FrameOrder, RateLimiter, StampOrder, usable_stamp
from dfer_ros.core.stream_statistics import DropReason, StreamStatistics
from dfer_ros.nodes.latest_worker import LatestWorker
from dfer_ros.nodes.stamp import header_seconds
from dfer_ros.nodes.throttled_log import ThrottledLog


class _Stamped(Protocol):
    header: Header


Message = TypeVar("Message", bound=_Stamped)


class FrameStream(ABC, Generic[Message]):
    """Takes in messages with a header in the executor's thread, and has them processed in the worker's.

    A stream says in subscribe() what it listens to, in process() what it does with a message, and in close() what it
    leaves. values: the parameters of its node. statistics: counts every message and what became of it.
    """

    def __init__(self, node: Node, log: ThrottledLog, statistics: StreamStatistics, values: Mapping[str, Any]) -> None:
        self.node = node
        self.log = log
        self._statistics = statistics
        self._order = StampOrder()
        self._limiter = RateLimiter(values["frame_rate"])
        self._unsubscribe: Callable[[], None] | None = None
        self.configure(values)

    @abstractmethod
    def subscribe(self, receive: Callable[[Message], None]) -> Callable[[], None]:
        """Have receive called with every message, and return what ends that."""

    @abstractmethod
    def process(self, message: Message, stamp: float) -> int:
        """Answer a message, and return how many faces it has.

        stamp: seconds, of the message where that is usable: see usable_stamp().
        """

    @abstractmethod
    def close(self) -> None:
        """Destroy the publishers."""

    def configure(self, values: Mapping[str, Any]) -> None:
        """Take over parameters, at the start and whenever one was changed."""
        self._limiter.rate = values["frame_rate"]
        self._max_wait: float = values["max_wait_seconds"]

    def listen(self, worker: LatestWorker) -> None:
        """Begin to take in messages, to be processed by the worker."""
        self._worker = worker
        self._unsubscribe = self.subscribe(self._receive)

    def pause(self) -> None:
        """Stop taking in messages."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def drop_waiting(self) -> None:
        """Count the message that waited for its turn when the worker was closed."""
        self._statistics.dropped(DropReason.DISABLED)

    def _receive(self, message: Message) -> None:
        arrived = time.monotonic()
        self._statistics.received(arrived)
        stamp = usable_stamp(header_seconds(message.header), self._now())
        if self._order.check(stamp) is FrameOrder.LATE:
            self._statistics.dropped(DropReason.LATE_STAMP)
        elif not self._limiter.accepts(stamp):
            self._statistics.dropped(DropReason.FRAME_RATE)
        elif self._worker.put(lambda: self._work(message, stamp, arrived), self):
            self._statistics.dropped(DropReason.REPLACED)

    def _work(self, message: Message, stamp: float, arrived: float) -> None:
        if time.monotonic() - arrived > self._max_wait:
            self._statistics.dropped(DropReason.WAITED)
            return
        try:
            faces = self.process(message, stamp)
        except Exception as error:
            unusable = isinstance(error, ImageError)
            self._statistics.dropped(DropReason.UNUSABLE if unusable else DropReason.FAILED)
            raise
        taken = header_seconds(message.header) or stamp
        self._statistics.processed(time.monotonic(), self._now() - taken, faces)

    def _now(self) -> float:
        return self.node.get_clock().now().nanoseconds * 1e-9
