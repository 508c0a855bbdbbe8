"""When the images of a bag were taken: as their headers say, and by the recorder where these say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from dfer_ros.streams.stamps import repeated_stamps

_NANOSECONDS = 10**9
_MOST_WAITING = 16
"""Images without a stamp that wait for the next one with a stamp."""

T = TypeVar("T")


class BagStamps:
    """The stamps of one stream.

    A header without a stamp, or with that of the image before, says nothing of its image. Then the time of reception
    counts, less the delay of the last image that says something: two clocks in one stream would make one half late.
    missing, repeated, count: images without a stamp, with that of the image before, and in all.
    """

    def __init__(self) -> None:
        self.missing = self.repeated = self.count = 0

    def stamped(self, messages: Iterable[tuple[T, int, int]]) -> Iterator[tuple[T, float]]:
        """Yield messages, each with its stamp in seconds, in the same order.

        messages: with the stamp of the header (0: none) and the time of reception, nanoseconds.
        """
        waiting: list[tuple[T, int]] = []
        told = last = 0
        delay: int | None = None
        for message, stamp, received in messages:
            self.count += 1
            self.missing += stamp == 0
            self.repeated += stamp != 0 and stamp == told
            if stamp in (0, told):
                waiting.append((message, received))
                if len(waiting) < _MOST_WAITING:
                    continue
            first = received - stamp if stamp not in (0, told) else 0
            for item, time in _between(waiting, first if delay is None else delay, last, stamp if first else 0):
                last = time
                yield item, time / _NANOSECONDS
            waiting.clear()
            if stamp not in (0, told):
                told = last = stamp
                delay = received - stamp
                yield message, stamp / _NANOSECONDS
        for item, time in _between(waiting, delay or 0, last, 0):
            yield item, time / _NANOSECONDS

    def remarks(self) -> list[str]:
        """Return what was wrong with the stamps, a sentence each."""
        remarks = []
        if 0 < self.missing < self.count:
            remarks.append(
                f"{self.missing} of {self.count} images have no stamp: the time of the recorder stands for it."
            )
        if self.repeated:
            remarks.append(f"{repeated_stamps(self.repeated, self.count)}, and the time of the recorder stands for it.")
        return remarks


def _between(waiting: list[tuple[T, int]], delay: int, last: int, following: int) -> Iterator[tuple[T, int]]:
    """Yield the waiting messages with times after the last stamp and before the following one; 0: there is none."""
    for place, (message, received) in enumerate(waiting, 1):
        time = received - delay
        if last and following > last and not last < time < following:
            time = last + (following - last) * place // (len(waiting) + 1)
        yield message, time
