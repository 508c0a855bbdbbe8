"""Waiting for what other processes do."""

import time

PATIENCE_SECONDS = 60.0
"""For what takes a moment on an idle machine. Only a test that fails waits so long."""


def wait_until(condition, seconds=PATIENCE_SECONDS):
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
