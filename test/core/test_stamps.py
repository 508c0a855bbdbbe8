import numpy as np
import pytest

from dfer_ros.core.stamps import RateLimiter, StampOrder


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


def test_only_stamps_before_the_last_one_go_backward():
    order = StampOrder()
    assert [order.goes_backward(stamp) for stamp in (5.0, 5.0, 6.0, 5.9, 5.95, 0.0, 7.0)] == [
        False,
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_the_first_stamp_is_never_backward():
    assert not StampOrder().goes_backward(-1e12)
