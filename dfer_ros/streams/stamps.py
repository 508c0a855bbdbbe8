"""The time of images: stamps that are missing or wrong, frames out of order, and a limit on frames a second."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from dfer_ros.core.parameter import parameter

CLOCK_TOLERANCE = 0.5
"""Seconds by which stamps may disagree, with the clock or among themselves, before the clock counts as another one."""


def usable_stamp(stamp: float, now: float) -> float:
    """Return the time (seconds) that counts for a frame whose header says stamp, on a node whose clock says now.

    The one rule for stamps; headers are never changed. No stamp (zero or less): now. More than CLOCK_TOLERANCE ahead of
    the clock: now, or the windows would wait for a future that never comes. A clock that has not started (use_sim_time
    before the first /clock says 0) cannot judge: the stamp as it is. Old stamps are good stamps: a bag is played so.
    """
    if now <= 0.0:
        return stamp
    return now if stamp <= 0.0 or stamp > now + CLOCK_TOLERANCE else stamp


class UsableStamps:
    """Applies usable_stamp() to the frames of one stream without switching back and forth between clocks.

    The stamps of a clock that is about CLOCK_TOLERANCE ahead are more than that ahead in some frames, less in others;
    taken each by itself, every change would make the frames after it late. A stream that was ahead counts as ahead
    until a stamp is not.

    A stamp that is missing, or that of the frame before (drivers let them stand still, or count whole seconds), says
    nothing of its frame: now stands for it, less the delay of the last frame that told its time, or the next one that
    does would be late.

    repeated: whether the last frame had the stamp of the one before. told: whether its stamp said something.
    """

    def __init__(self) -> None:
        self.repeated = False
        self.told = True
        self._ahead = False
        self._before = 0.0
        self._delay = 0.0
        self._estimate = float("-inf")

    def usable(self, stamp: float, now: float) -> float:
        """Return the time (seconds) that counts for the next frame; see usable_stamp()."""
        self.repeated = stamp > 0.0 and stamp == self._before
        self._before = stamp
        self._ahead = now > 0.0 and stamp > now + (0.0 if self._ahead else CLOCK_TOLERANCE)
        self.told = stamp > 0.0 and not self.repeated
        if now <= 0.0 or self._ahead:
            return now if self._ahead else stamp
        if self.told and not self._estimate - CLOCK_TOLERANCE < stamp < self._estimate:
            self._delay = now - stamp
            self._estimate = float("-inf")
            return stamp
        self._estimate = now - self._delay
        return self._estimate


class FrameOrder(enum.Enum):
    """How a frame follows the ones before it."""

    IN_ORDER = enum.auto()
    """Not older than any frame before it."""
    LATE = enum.auto()
    """A little older than the newest: newer frames were seen already, so it is to be dropped."""
    JUMPED_BACK = enum.auto()
    """The first frame of a clock that went back, as when a bag starts again: what was remembered is to be cleared."""


class StampOrder:
    """Tells frames that come late from a clock that went back.

    Less than CLOCK_TOLERANCE behind the newest stamp is late, more is a jump. So that neither a bag shorter than that
    nor a clock that was set back a little can keep frames late for ever, the steps between late frames, forth and
    back, are added up: after CLOCK_TOLERANCE of them without a stamp newer than the newest, it is a jump as well.

    late: how many of the frames checked so far came late. repeated: how many others had the stamp of the newest frame
    before them. jumps: how often the clock went back.
    """

    def __init__(self) -> None:
        self.late = self.repeated = self.jumps = 0
        self._newest = float("-inf")
        self._last = float("-inf")
        self._late_steps: float | None = None

    def check(self, stamp: float) -> FrameOrder:
        """Return how the frame of this stamp (seconds) follows the frames checked before, and count it."""
        newest = self._newest
        order = self._follow(stamp)
        self.late += order is FrameOrder.LATE
        self.repeated += order is FrameOrder.IN_ORDER and stamp == newest
        self.jumps += order is FrameOrder.JUMPED_BACK
        return order

    def _follow(self, stamp: float) -> FrameOrder:
        if stamp > self._newest or (stamp == self._newest and self._late_steps is None):
            return self._begin(stamp, FrameOrder.IN_ORDER)
        steps = 0.0 if self._late_steps is None else self._late_steps + abs(stamp - self._last)
        if stamp < self._newest and max(self._newest - stamp, steps) >= CLOCK_TOLERANCE:
            return self._begin(stamp, FrameOrder.JUMPED_BACK)
        self._late_steps, self._last = steps, stamp
        return FrameOrder.LATE if stamp < self._newest else FrameOrder.IN_ORDER

    def _begin(self, stamp: float, order: FrameOrder) -> FrameOrder:
        self._newest = self._last = stamp
        self._late_steps = None
        return order


@dataclass(frozen=True)
class FrameConfig:
    """Which frames of a stream are processed."""

    frame_rate: float = parameter(30.0, "Most frames processed per second.", "Hz", 0.1, 240.0, changeable=True)
    max_wait_seconds: float = parameter(
        0.2, "Frames that waited longer than this for the one before are dropped.", "s", 0.01, 60.0, changeable=True
    )


def repeated_stamps(repeated: int, count: int) -> str:
    """Return the beginning of a sentence on a stream in which so many of count frames have the stamp of another."""
    still = "stand still" if repeated >= count - 1 else "repeat"
    return f"The stamps of the images {still}: {repeated} of {count} have that of the image before"


class RateLimiter:
    """Lets at most `rate` frames a second through, without drift, and loses none to the jitter of a camera.

    Frames that come late are to be dropped before (see StampOrder): a stamp before the last one accepted is a clock
    that went back, and the count begins anew. While stamps stand still, as when /clock is paused, only the first frame
    passes.
    """

    _EARLY = 0.25
    """Share of a period by which a frame may come early."""

    def __init__(self, rate: float) -> None:
        self._accepted = float("inf")
        self._due = float("-inf")
        self.rate = rate

    @property
    def rate(self) -> float:
        """Most frames a second; a change counts from the last accepted frame on."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = rate
        self._due = min(self._due, self._accepted + 1.0 / rate)

    def accepts(self, stamp: float) -> bool:
        """Return whether the frame of this stamp (seconds) is to be processed, and count it if so."""
        period = 1.0 / self._rate
        if stamp < self._accepted:
            self._due = stamp
        if stamp < self._due - self._EARLY * period:
            return False
        # The frame after a late one may come when it would have come anyway.
        self._due = max(self._due + period, stamp + 0.5 * period)
        self._accepted = stamp
        return True

    def give_back(self, stamp: float) -> None:
        """Take back that the frame of this stamp was accepted, as it could not be used: the next one may come."""
        if stamp == self._accepted:
            self._due = float("-inf")
