"""What the tests of the command share."""

import signal

import pytest


@pytest.fixture(autouse=True)
def _signals():
    """Give pytest its handlers back after a command that ran in its process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before):
        signal.signal(number, handler)
