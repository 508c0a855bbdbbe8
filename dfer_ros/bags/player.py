"""Publishes the messages of a bag at their times, with a /clock of its own."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rclpy.duration import Duration
from rclpy.publisher import Publisher

from dfer_ros.bags.clock import BagClock, ReplayClock
from dfer_ros.bags.played_topics import PlayedTopics
from dfer_ros.bags.prefetch import Prefetch
from dfer_ros.bags.selection import Selection

_LOOP_PAUSE_SECONDS = 1 / 30
"""Seconds between the last message of a pass and the first of the next: the period of a camera."""
_POLL_SECONDS = 0.05
_LULL_SECONDS = 0.015
"""To the next message, in which there is time for all that is not sending."""
_SHOW_SECONDS, _SHOW_AT_LEAST_SECONDS = 0.2, 1.0
_MOST_AWAKE_SECONDS = 0.004
_FORGET = 0.97
"""What remains after each sleep of what was learned from a long one."""
_SWITCH_SECONDS = 0.0005
"""How long the thread that reads may keep the interpreter while a message is due; Python's default is 5 ms."""
_FILL_SECONDS, _ACKNOWLEDGE_SECONDS = 1.0, 1.0


@dataclass(frozen=True)
class PlayConfig:
    """rate: seconds of the bag in a second. loop: begin again at the end. clock_rate: Hz of /clock, 0: no /clock."""

    rate: float = 1.0
    loop: bool = False
    clock_rate: float = 40.0


class BagPlayer:
    """Plays a selection of a bag in the caller's thread.

    clock: the publisher of /clock, if any. stopped: ends play() early. show: called now and then with the seconds of
    the bag that have passed and whether it is paused.
    delays: seconds after its time at which each message had been handed over. passes: how often the bag has begun.
    """

    def __init__(
        self,
        selection: Selection,
        topics: PlayedTopics,
        clock: Publisher | None,
        config: PlayConfig,
        stopped: threading.Event,
        show: Callable[[float, bool], None],
    ) -> None:
        playable = tuple(c for c in selection.connections if c.id in topics.publishers)
        self._selection = replace(selection, connections=playable)
        self._publishers = topics.publishers
        self._config = config
        self._stopped = stopped
        self._show = show
        self._time = BagClock(config.rate)
        self._clock = ReplayClock(clock, config.clock_rate)
        self._oversleep = self._keys_at = self._shown_at = 0.0
        self.delays = array("d")
        self.passes = 0

    def play(self, pressed: Callable[[], str]) -> None:
        """Publish everything, or what comes before the stop.

        pressed: returns the keys pressed since its last call; a space pauses and goes on.
        Raises SourceError where the bag turns out to be damaged.
        """
        self._messages = Prefetch(self._selection.passes(self._config.loop))
        try:
            self._messages.fill(_FILL_SECONDS)
            with _steady_pace():
                for (begun, connection), stamp, data in self._messages:
                    if begun == self.passes:
                        self._begin_pass()
                    if not self._wait_until(stamp, pressed):
                        return
                    self._clock.before_message(stamp, time.monotonic())
                    self._publishers[connection.id].publish(data)
                    self.delays.append(time.monotonic() - self._time.due(stamp))
        finally:
            self._messages.close()
        self._clock.begin(self._selection.stop, time.monotonic())
        self._show((self._selection.stop - self._selection.start) * 1e-9, False)
        _wait_for_acknowledgements(list(self._publishers.values()))

    def _begin_pass(self) -> None:
        if self.passes:
            time.sleep(_LOOP_PAUSE_SECONDS)
        now = time.monotonic()
        self._time.start(self._selection.start, now)
        self._clock.begin(self._selection.start, now)
        self.passes += 1

    def _wait_until(self, stamp: int, pressed: Callable[[], str]) -> bool:
        """Return at the time of a message, or with False when the player is stopped."""
        while not self._stopped.is_set():
            self._do_chores(stamp, pressed)
            remaining = self._remaining(stamp, time.monotonic())
            if remaining <= 0.0:
                return True
            self._sleep(min(remaining, _POLL_SECONDS))
        return False

    def _remaining(self, stamp: int, now: float) -> float:
        return float("inf") if self._time.paused else self._time.due(stamp) - now

    def _sleep(self, seconds: float) -> None:
        """Wait for exactly so long: sleep less by what the system lately overslept, and stay awake for the rest."""
        begin = time.monotonic()
        asked = max(0.0, seconds - self._oversleep)
        time.sleep(asked)
        over = time.monotonic() - begin - asked
        self._oversleep = max(min(over, _MOST_AWAKE_SECONDS), _FORGET * self._oversleep)
        while time.monotonic() - begin < seconds:
            time.sleep(0)

    def _do_chores(self, stamp: int, pressed: Callable[[], str]) -> None:
        now = time.monotonic()
        lull = self._remaining(stamp, now) > _LULL_SECONDS
        if lull:
            self._messages.rest()
        self._clock.tell_if_due(min(stamp, self._time.time(now)), now, lull)
        if now - self._keys_at > _POLL_SECONDS:
            self._keys_at = now
            if pressed().count(" ") % 2:
                self._time.toggle(now)
                self._shown_at = 0.0
        since = now - self._shown_at
        if since > _SHOW_AT_LEAST_SECONDS or (since > _SHOW_SECONDS and lull):
            self._shown_at = now
            self._show((self._time.time(now) - self._selection.start) * 1e-9, self._time.paused)


@contextlib.contextmanager
def _steady_pace() -> Iterator[None]:
    """Keep Python from making messages late by collecting garbage or by switching threads."""
    interval, frozen_before = sys.getswitchinterval(), gc.get_freeze_count() > 0
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not frozen_before:  # what a program has frozen itself is not ours to thaw
            gc.unfreeze()
        sys.setswitchinterval(interval)


def _wait_for_acknowledgements(publishers: Sequence[Publisher]) -> None:
    """Let reliable subscribers get the last messages before the publishers go."""
    deadline = time.monotonic() + _ACKNOWLEDGE_SECONDS
    for publisher in publishers:
        publisher.wait_for_all_acked(Duration(seconds=max(0.0, deadline - time.monotonic())))


@dataclass(frozen=True)
class Lateness:
    """Milliseconds after its time at which a message had been handed over: median, 99th percentile, and the most."""

    median: float
    p99: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ms late (median), {self.p99:.1f} ms (99th percentile), {self.most:.1f} ms at most"


def lateness(seconds: Sequence[float]) -> Lateness:
    """Return the figures of some delays in seconds, at least one."""
    median, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return Lateness(float(median), float(p99), float(max(seconds)) * 1e3)
