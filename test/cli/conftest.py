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


@pytest.fixture
def domain(monkeypatch):
    """A ROS domain of this test's own, on this computer only."""
    # Here, as it takes ROS, which most tests of the command do without.
    from emotion_robot import DOMAIN

    monkeypatch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def robot(domain):
    """A node that publishes emotions in that domain."""
    from emotion_robot import Robot

    made = Robot()
    yield made
    made.close()
