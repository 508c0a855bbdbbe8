import random

import numpy as np
import pytest

from dfer_ros.streams.stamps import CLOCK_TOLERANCE, FrameOrder, RateLimiter, StampOrder, UsableStamps, usable_stamp

IN_ORDER, LATE, JUMPED_BACK = FrameOrder.IN_ORDER, FrameOrder.LATE, FrameOrder.JUMPED_BACK
NOW = 1.7e9


def accepted(stamps, rate):
    limiter = RateLimiter(rate)
    return [stamp for stamp in stamps if limiter.accepts(stamp)]


def camera(rate, seconds, jitter=0.0, seed=0):
    """Return stamps of a camera at rate (Hz) whose frames come up to jitter (seconds) early or late."""
    count = round(rate * seconds)
    return np.arange(count) / rate + np.random.default_rng(seed).uniform(-jitter, jitter, count)


@pytest.mark.parametrize("jitter", [0.0, 0.001, 0.004])
@pytest.mark.parametrize("seed", range(10))
def test_a_camera_of_just_the_rate_loses_nothing_to_its_jitter(jitter, seed):
    assert len(accepted(camera(30, 100, jitter, seed), 30)) == 3000


@pytest.mark.parametrize("camera_rate", [5, 15, 24, 25, 29.97])
def test_a_slower_camera_loses_nothing(camera_rate):
    stamps = camera(camera_rate, 100, 0.002)
    assert len(accepted(stamps, 30)) == len(stamps)


@pytest.mark.parametrize(
    ("camera_rate", "rate"), [(30, 20), (60, 30), (30, 7), (30, 10), (120, 30), (90, 60), (60, 45), (30, 0.5)]
)
def test_a_faster_camera_is_brought_down_to_the_rate(camera_rate, rate):
    assert len(accepted(camera(camera_rate, 200), rate)) == pytest.approx(200 * rate, rel=0.06, abs=1)


@pytest.mark.parametrize(("camera_rate", "rate"), [(30, 15), (60, 30), (30, 10), (60, 20)])
def test_every_nth_frame_is_taken_where_the_rates_divide(camera_rate, rate):
    stamps = camera(camera_rate, 0.8)
    assert accepted(stamps, rate)[:4] == stamps[:: camera_rate // rate][:4].tolist()


@pytest.mark.parametrize("jitter", [0.0, 0.002, 0.008])
@pytest.mark.parametrize("camera_rate", [30.3, 31, 47, 60, 90, 240, 1000])
@pytest.mark.parametrize("rate", [7, 20, 30])
def test_there_are_never_more_frames_than_the_rate_over_a_long_run(camera_rate, rate, jitter):
    stamps = np.sort(camera(camera_rate, 100, jitter))
    assert len(accepted(stamps, rate)) <= 100 * rate + 1


@pytest.mark.parametrize("seed", range(5))
def test_irregular_frames_are_never_more_than_the_rate(seed):
    gaps = np.random.default_rng(seed).exponential(1 / 45, 4500)
    stamps = np.cumsum(gaps)
    taken = np.array(accepted(stamps, 30))
    assert len(taken) <= 30 * (stamps[-1] - stamps[0]) + 1
    assert np.diff(taken).min() >= 0.25 / 30 - 1e-9


def test_after_a_pause_there_is_no_burst():
    limiter = RateLimiter(10)
    assert limiter.accepts(0.0)
    after = [100.0 + index / 100 for index in range(100)]
    assert sum(limiter.accepts(stamp) for stamp in after) <= 11


def test_a_late_frame_does_not_cost_the_next_one():
    late = [index / 30 + (0.02 if index == 50 else 0.0) for index in range(100)]
    assert accepted(late, 30) == late


def test_of_equal_stamps_the_first_is_taken():
    limiter = RateLimiter(30)
    assert [limiter.accepts(stamp) for stamp in (1.0, 1.0, 1.0)] == [True, False, False]


def test_stamps_since_1970_lose_nothing():
    assert len(accepted(1.7e9 + camera(30, 100, 0.004), 30)) == 3000


@pytest.mark.parametrize("back", [1.0, 10.0, 1e9])
def test_a_clock_that_jumps_back_starts_the_count_anew(back):
    limiter = RateLimiter(30)
    for stamp in camera(30, 2):
        limiter.accepts(stamp)
    again = 2.0 - back + np.arange(60) / 30
    assert sum(limiter.accepts(stamp) for stamp in again) == 60


def test_the_rate_can_change_while_frames_come():
    limiter = RateLimiter(30)
    assert sum(limiter.accepts(stamp) for stamp in np.arange(0, 300) / 30) == 300
    limiter.rate = 10
    assert sum(limiter.accepts(stamp) for stamp in np.arange(300, 600) / 30) == pytest.approx(100, abs=1)
    limiter.rate = 30
    assert sum(limiter.accepts(stamp) for stamp in np.arange(600, 900) / 30) == pytest.approx(300, abs=3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 2.0, 30.0])
def test_after_a_jump_back_the_next_frame_passes_at_any_rate(rate):
    limiter = RateLimiter(rate)
    assert limiter.accepts(100.0)
    assert limiter.accepts(100.0 - CLOCK_TOLERANCE)
    assert not limiter.accepts(100.0 - CLOCK_TOLERANCE + 0.1 / rate)


def test_late_frames_are_dropped_before_the_limiter_and_cost_it_no_other():
    order, limiter = StampOrder(), RateLimiter(30)
    in_time = [0.0, 1 / 30, 2 / 30, 3 / 30, 4 / 30]
    stamps = [*in_time[:3], 0.05, in_time[3], 0.01, in_time[4]]
    kept = [stamp for stamp in stamps if order.check(stamp) is not FrameOrder.LATE]
    assert [stamp for stamp in kept if limiter.accepts(stamp)] == in_time


def test_while_the_clock_is_paused_one_frame_passes_and_afterwards_all():
    limiter = RateLimiter(30)
    before = camera(30, 1)
    assert [stamp for stamp in before if limiter.accepts(stamp)] == before.tolist()
    paused = [1.0] * 300
    assert sum(limiter.accepts(stamp) for stamp in paused) == 1
    after = 1.0 + np.arange(1, 31) / 30
    assert [stamp for stamp in after if limiter.accepts(stamp)] == after.tolist()


def test_a_higher_rate_counts_at_once():
    limiter = RateLimiter(0.1)
    assert limiter.accepts(0.0)
    assert not limiter.accepts(0.5)
    limiter.rate = 30
    stamps = 0.6 + np.arange(30) / 30
    assert [stamp for stamp in stamps if limiter.accepts(stamp)] == stamps.tolist()


def test_a_lower_rate_counts_from_the_last_accepted_frame_on():
    limiter = RateLimiter(30)
    assert [limiter.accepts(stamp) for stamp in (0.0, 1 / 30)] == [True, True]
    limiter.rate = 1
    taken = [stamp for stamp in np.arange(2, 302) / 30 if limiter.accepts(stamp)]
    assert taken[0] == 2 / 30
    assert len(taken) == pytest.approx(11, abs=1)
    assert np.diff(taken).min() >= 0.75 - 1e-9


def test_an_endless_rate_takes_every_frame():
    limiter = RateLimiter(float("inf"))
    assert all(limiter.accepts(stamp) for stamp in (0.0, 1e-9, 2e-9, 5.0))


def checked(stamps):
    order = StampOrder()
    return [order.check(stamp) for stamp in stamps]


def test_late_frames_and_jumps_are_counted():
    order = StampOrder()
    assert (order.late, order.jumps) == (0, 0)
    answers = [order.check(stamp) for stamp in (10.0, 10.1, 10.05, 10.2, 2.0, 2.1, 1.0)]
    assert (order.late, order.jumps) == (answers.count(LATE), answers.count(JUMPED_BACK)) == (1, 2)


def test_equal_and_newer_stamps_are_in_order():
    assert checked([-1e12, 5.0, 5.0, 5.001, 1e12]) == [IN_ORDER] * 5


def test_a_frame_that_is_a_little_older_than_the_newest_is_late():
    assert checked([5.0, 5.03, 5.02, 5.0, 4.55, 5.06]) == [IN_ORDER, IN_ORDER, LATE, LATE, LATE, IN_ORDER]


@pytest.mark.parametrize("back", [CLOCK_TOLERANCE, 1.0, 100.0, 1e9])
def test_a_jump_back_is_told_once(back):
    stamps = [NOW, NOW - back, NOW - back + 0.03, NOW - back + 0.06]
    assert checked(stamps) == [IN_ORDER, JUMPED_BACK, IN_ORDER, IN_ORDER]


def test_a_bag_that_loops_jumps_back_once_a_loop():
    answers = checked(np.tile(np.arange(0, 5, 1 / 30), 4))
    assert answers.count(JUMPED_BACK) == 3
    assert LATE not in answers


@pytest.mark.parametrize("back", [0.05, 0.2, 0.45])
def test_a_clock_set_back_a_little_drops_frames_until_it_caught_up(back):
    answers = checked([*(NOW + np.arange(30) / 30), *(NOW + 29 / 30 - back + np.arange(1, 60) / 30)])
    assert JUMPED_BACK not in answers
    assert answers.count(LATE) <= back * 30 + 1
    assert answers[-30:] == [IN_ORDER] * 30


@pytest.mark.parametrize("length", [0.067, 0.1, 0.3, 0.45, 0.49])
def test_a_bag_shorter_than_the_tolerance_is_late_for_half_a_second_at_most(length):
    stamps = np.arange(0, length, 1 / 30)
    answers = checked(np.tile(stamps, 100))
    jumps = np.flatnonzero([answer is JUMPED_BACK for answer in answers]) / 30
    loop = len(stamps) / 30
    assert np.diff(jumps).max() <= CLOCK_TOLERANCE + 2 * loop
    assert jumps[0] <= CLOCK_TOLERANCE + 2 * loop


def test_a_second_publisher_that_is_always_behind_does_not_clear_anything():
    ahead = np.arange(300) / 30
    answers = checked(np.column_stack([ahead, ahead - 0.3]).ravel())
    assert answers[0::2] == [IN_ORDER] * 300
    assert JUMPED_BACK not in answers


def test_one_stamp_far_in_the_future_clears_once():
    answers = checked([1.0, 1.03, 500.0, 1.1, 1.13])
    assert answers == [IN_ORDER, IN_ORDER, IN_ORDER, JUMPED_BACK, IN_ORDER]


@pytest.mark.parametrize(
    ("stamp", "now", "usable"),
    [
        (NOW - 0.05, NOW, NOW - 0.05),
        (0.0, NOW, NOW),
        (-1.0, NOW, NOW),
        (NOW + 0.4, NOW, NOW + 0.4),
        (NOW + 0.6, NOW, NOW),
        (NOW + 1e6, NOW, NOW),
        (1.0, NOW, 1.0),
        (NOW, 0.0, NOW),
        (0.0, 0.0, 0.0),
        (NOW, 12.5, 12.5),
    ],
)
def test_a_stamp_is_used_unless_it_is_missing_or_ahead_of_a_running_clock(stamp, now, usable):
    assert usable_stamp(stamp, now) == usable


@pytest.mark.parametrize("ahead", [0.49, 0.5, 0.51, 0.52, 0.53, 0.6])
def test_a_clock_about_as_far_ahead_as_is_tolerated_costs_few_frames(ahead):
    """A network camera whose clock drifts: its frames must not be late by turns."""
    chance = random.Random(3)
    stamps, order = UsableStamps(), StampOrder()
    now = 1000.0
    for _ in range(300):
        taken = now
        arrived = taken + 0.005 + chance.expovariate(1 / 0.008)
        order.check(stamps.usable(taken + ahead, arrived))
        now += 1 / 30
    assert order.late <= 20, "at most the frames of one change, half a second of them"


def test_a_clock_that_was_ahead_counts_again_once_it_is_not():
    stamps = UsableStamps()
    assert stamps.usable(10.6, 10.0) == 10.0
    assert stamps.usable(10.7, 10.4) == 10.4
    assert stamps.usable(10.4, 10.5) == 10.4
    assert stamps.usable(10.9, 10.6) == 10.9
    assert stamps.usable(0.0, 10.7) == pytest.approx(11.0)  # by the clock of the frame before


def seen_live(stamps, delays, rate=30):
    """Return what StampOrder and RateLimiter leave of a camera's stamps that come after such delays."""
    usable, order, limiter, left = UsableStamps(), StampOrder(), RateLimiter(30), []
    for index, (stamp, delay) in enumerate(zip(stamps, delays)):
        time = usable.usable(stamp, NOW + index / rate + delay)
        if order.check(time) is not FrameOrder.LATE and limiter.accepts(time):
            left.append(time)
    return left, order


REPEATING = {
    "frozen": lambda index: NOW,
    "whole seconds": lambda index: float(int(NOW + index / 30)),
    "twice": lambda index: NOW + index // 2 * 2 / 30,
    "every third missing": lambda index: NOW + index / 30 if index % 3 else 0.0,
    "missing": lambda index: 0.0,
    "frozen long ago": lambda index: 1000.0,
    "frozen a little ahead": lambda index: NOW + 0.3,
    "frozen far ahead": lambda index: NOW + 1e6,
}


@pytest.mark.parametrize("kind", REPEATING)
@pytest.mark.parametrize("delay", [0.002, 0.2])
def test_frames_whose_stamps_say_nothing_count_as_taken_when_they_came(kind, delay):
    left, order = seen_live([REPEATING[kind](index) for index in range(300)], [delay] * 300)
    assert len(left) >= 298
    assert order.late == 0
    assert np.diff(left) == pytest.approx(1 / 30, abs=0.02)


def test_stamps_that_come_twice_lose_nothing_to_a_transport_that_wavers():
    delays = np.random.default_rng(5).uniform(0.01, 0.025, 300)
    left, order = seen_live([REPEATING["twice"](index) for index in range(300)], delays)
    assert order.late == order.jumps == 0
    assert len(left) > 285


def test_a_clock_that_goes_on_after_it_stood_still_is_followed_again():
    stamps = [NOW + min(index, 30) / 30 for index in range(100)] + [NOW + index / 30 for index in range(100, 200)]
    left, order = seen_live(stamps, [0.01] * 200)
    assert len(left) == 200
    assert left[-1] == stamps[-1]
    assert order.late == order.jumps == 0


def test_two_frames_at_once_with_one_stamp_are_one_frame():
    usable, limiter = UsableStamps(), RateLimiter(30)
    taken = [NOW + index / 30 for index in range(90)]
    left = [stamp for stamp in taken for late in (0.005, 0.006) if limiter.accepts(usable.usable(stamp, stamp + late))]
    assert left == taken


def test_a_frame_that_could_not_be_used_is_given_back():
    limiter = RateLimiter(30)
    assert limiter.accepts(1.0)
    assert not limiter.accepts(1.001)
    limiter.give_back(1.0)
    assert limiter.accepts(1.002)
    limiter.give_back(1.0)
    assert not limiter.accepts(1.003)
