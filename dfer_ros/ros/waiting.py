"""Waits for a condition: nobody knows beforehand how long something takes in a graph."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""For what takes a moment on an idle machine. Only who waits in vain waits so long."""
_POLL_SECONDS = 0.01


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
