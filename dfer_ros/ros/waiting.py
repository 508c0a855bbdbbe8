"""Waits for a condition: nobody knows beforehand how long something takes in a graph."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""For what takes a moment on an idle machine. Only who waits in vain waits so long."""
_POLL_SECONDS = 0.01
_SETTLE_SECONDS, _MOST_SETTLE_SECONDS = 1.0, 10.0


def wait_until(
    condition: Callable[[], object],
    seconds: float = PATIENCE_SECONDS,
    pass_time: Callable[[], object] = lambda: time.sleep(_POLL_SECONDS),
) -> bool:
    """Return whether the condition came true in time; pass_time: called between two looks, such as to spin a node."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pass_time()
    return True


def wait_for_listeners(count_listeners: Callable[[], int], stopped: threading.Event, seconds: float = math.inf) -> bool:
    """Return whether somebody listens in time, or before it is stopped; then no more came or left for a second.

    Others who wait are found a moment after the first, and that we have found somebody does not mean yet that we are
    found. Whoever listens in another way now that he knows how we send, as our nodes do, leaves for half a second, also
    when the time is over.
    """
    settle = min(seconds, _SETTLE_SECONDS)
    begin = since = time.monotonic()
    before, heard = 0, False
    while not stopped.is_set():
        now, found = time.monotonic(), count_listeners()
        heard = heard or found > 0
        if found != before:
            before, since = found, now
        if found and now - since >= settle:
            return True
        if not found and now - begin >= seconds and (not heard or now - since >= settle):
            return False
        if now - begin >= seconds + _MOST_SETTLE_SECONDS:
            return found > 0
        stopped.wait(_POLL_SECONDS)
    return before > 0
