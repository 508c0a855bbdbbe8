"""How a recording waits for those who listen, by a clock that only waiting moves."""

import math
from types import SimpleNamespace

import pytest

from dfer_ros.ros import waiting
from dfer_ros.ros.waiting import wait_for_listeners


class Clock:
    """Time that goes by while somebody waits on it, as on the event that ends the waiting."""

    def __init__(self, end=math.inf):
        self.now = 0.0
        self._end = end

    def is_set(self):
        return self.now >= self._end

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def wait(monkeypatch):
    """Wait for listeners; return what comes of it, and how long it took.

    listening: how many listen from when on, in seconds; the last for ever.
    """

    def waited(listening, seconds=math.inf, end=math.inf):
        clock = Clock(end)
        monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: clock.now))

        def count():
            return [many for begin, many in listening if begin <= clock.now][-1]

        return wait_for_listeners(count, clock, seconds), pytest.approx(clock.now, abs=0.05)

    return waited


def test_it_goes_on_when_nobody_has_come_or_left_for_a_second(wait):
    assert wait([(0.0, 0), (2.0, 1), (2.1, 0), (2.7, 1), (3.2, 2)]) == (True, 4.2)
    assert wait([(0.0, 1)]) == (True, 1.0)


def test_where_nobody_comes_it_ends_in_time(wait):
    assert wait([(0.0, 0)], 10.0) == (False, 10.0)


def test_who_is_away_for_a_moment_when_the_time_ends_is_waited_for(wait):
    assert wait([(0.0, 0), (9.5, 1), (9.8, 0), (10.4, 1)], 10.0) == (True, 11.4)
    assert wait([(0.0, 0), (9.5, 1), (9.8, 0)], 10.0) == (False, 10.8)


def test_a_coming_and_going_without_end_is_not_waited_for(wait):
    assert wait([(step / 2, 1 + step % 2) for step in range(1000)], 10.0) == (True, 20.0)


@pytest.mark.parametrize("many", [0, 2])
def test_without_time_it_looks_once(wait, many):
    assert wait([(0.0, many)], 0.0) == (many > 0, 0.0)


def test_it_can_be_stopped(wait):
    assert wait([(0.0, 0)], end=3.0) == (False, 3.0)
    assert wait([(0.0, 0), (2.9, 1)], end=3.0) == (True, 3.0)
