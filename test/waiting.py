"""Waiting for what other processes do."""

import time


def wait_until(condition, seconds=20.0):
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
