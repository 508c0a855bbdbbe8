import pytest

from dfer_ros.bags.clock import BagClock

START = 1_700_000_000_000_000_000


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0])
def test_messages_are_due_at_the_rate(rate):
    clock = BagClock(rate)
    clock.start(START, 100.0)
    assert clock.due(START) == 100.0
    assert clock.due(START + 10**9) == pytest.approx(100.0 + 1.0 / rate)
    assert clock.time(101.0) == pytest.approx(START + rate * 1e9)


def test_a_pause_moves_what_comes_after_it():
    clock = BagClock(2.0)
    clock.start(START, 10.0)
    clock.toggle(11.0)
    assert clock.paused
    assert clock.time(14.0) == clock.time(11.0) == START + 2 * 10**9
    clock.toggle(14.0)
    assert not clock.paused
    assert clock.time(15.0) == START + 4 * 10**9
    assert clock.due(START + 4 * 10**9) == 15.0


def test_a_new_start_forgets_the_pause():
    clock = BagClock(1.0)
    clock.start(START, 0.0)
    clock.toggle(1.0)
    clock.start(START, 5.0)
    assert not clock.paused
    assert clock.due(START) == 5.0


def test_nanoseconds_are_not_lost_in_large_times():
    clock = BagClock(1.0)
    clock.start(START, 0.0)
    assert clock.due(START + 1000) == pytest.approx(1e-6)
    assert clock.time(1e-6) == START + 1000
