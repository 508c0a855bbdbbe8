import numpy as np
import pytest

from dfer_ros.core.window import FrameWindow, WindowConfig

CONFIG = WindowConfig(seconds=2.0, frames=32)


def filled(stamps, config=CONFIG, qualities=None):
    """Return a window whose embeddings tell their stamps."""
    window = FrameWindow(config, 2)
    qualities = np.ones(len(stamps)) if qualities is None else qualities
    for stamp, quality in zip(stamps, qualities):
        window.add(float(stamp), np.array((stamp, -stamp), np.float32), float(quality))
    return window


def content(window, rows=40):
    """Return embeddings, ages and mask as a head sees them."""
    embeddings, ages, mask = np.zeros((rows, 2), np.float32), np.zeros(rows, np.float32), np.zeros(rows, np.float32)
    window.write_to(embeddings, ages, mask)
    return embeddings, ages, mask


def stamps_in(window):
    return content(window)[0][: len(window), 0].tolist()


def test_one_frame_is_a_window():
    window = filled([3.0])
    assert (len(window), window.seconds, window.newest) == (1, 0.0, 3.0)


def test_frames_are_kept_oldest_first():
    assert stamps_in(filled([0.0, 0.5, 1.0, 1.5])) == [0.0, 0.5, 1.0, 1.5]


def test_frames_older_than_the_window_leave_it():
    assert stamps_in(filled([0.0, 0.5, 1.0, 2.0])) == [0.0, 0.5, 1.0, 2.0]
    assert stamps_in(filled([0.0, 0.5, 1.0, 2.25])) == [0.5, 1.0, 2.25]


def test_after_a_gap_longer_than_the_window_only_the_newest_is_left():
    window = filled([0.0, 0.5, 1.0, 10.0])
    assert (stamps_in(window), window.seconds) == ([10.0], 0.0)


@pytest.mark.parametrize("rate", [15, 30, 60, 120, 240])
def test_the_window_spans_its_seconds_at_any_rate(rate):
    window = filled(np.arange(6 * rate) / rate)
    assert len(window) <= 32
    assert 1.9 <= window.seconds <= 2.0


@pytest.mark.parametrize("rate", [15, 30, 60, 120, 240])
def test_the_newest_frame_is_always_in_the_window(rate):
    window = FrameWindow(CONFIG, 2)
    for stamp in np.arange(3 * rate) / rate:
        window.add(float(stamp), np.array((stamp, 0), np.float32), 1.0)
        assert window.newest == stamp
        assert stamps_in(window)[-1] == np.float32(stamp)


@pytest.mark.parametrize(("rate", "frames"), [(4, 9), (8, 17), (16, 32)])
def test_up_to_its_number_of_frames_the_window_keeps_every_one(rate, frames):
    window = filled(np.arange(10 * rate) / rate)
    assert len(window) == frames
    assert np.diff(stamps_in(window)) == pytest.approx(1 / rate, abs=1e-5)


@pytest.mark.parametrize("rate", [30, 60, 120, 240])
def test_at_high_rates_the_kept_frames_are_evenly_spread(rate):
    steps = np.diff(stamps_in(filled(np.arange(6 * rate) / rate)))[:-1]
    assert steps.min() >= 2.0 / 32 - 1e-5
    assert steps.max() <= 2.0 / 32 + 1 / rate + 1e-5


@pytest.mark.parametrize("seed", range(5))
def test_uneven_rates_keep_order_span_and_number(seed):
    stamps = np.cumsum(np.random.default_rng(seed).choice((0.002, 0.03, 0.3), 400))
    window = FrameWindow(CONFIG, 2)
    for stamp in stamps:
        window.add(float(stamp), np.array((stamp, 0), np.float32), 1.0)
        kept = stamps_in(window)
        assert kept == sorted(kept)
        assert 1 <= len(kept) <= 32
        assert window.seconds <= 2.0
        assert kept[-1] == np.float32(stamp)


def test_equal_stamps_replace_each_other():
    window = filled([0.0, 1.0, 1.0, 1.0])
    assert len(window) <= 3
    assert window.newest == 1.0
    assert window.seconds == 1.0


def test_many_equal_stamps_keep_the_last_frame():
    window = FrameWindow(CONFIG, 2)
    for value in range(100):
        window.add(5.0, np.array((value, 0), np.float32), 1.0)
    assert len(window) <= 2
    assert stamps_in(window)[-1] == 99.0


def test_a_window_of_one_frame_holds_the_newest():
    window = filled([0.0, 0.1, 0.2], WindowConfig(2.0, 1))
    assert stamps_in(window) == [pytest.approx(0.2)]


def test_the_most_frames_are_never_exceeded():
    window = filled(np.arange(100) / 10, WindowConfig(5.0, 4))
    assert len(window) == 4
    assert window.newest == 9.9


def test_ages_count_back_from_the_newest_frame():
    ages = content(filled([10.0, 10.5, 11.5]))[1]
    assert ages[:3].tolist() == [1.5, 1.0, 0.0]


def test_stamps_since_1970_keep_their_ages():
    ages = content(filled(1.7e9 + np.arange(4) * 0.1))[1]
    assert ages[:4] == pytest.approx([0.3, 0.2, 0.1, 0.0], abs=1e-6)


def test_the_mask_is_the_quality_but_never_zero():
    mask = content(filled([0.0, 0.5, 1.0], qualities=[0.8, 0.0, 0.3]))[2]
    assert mask[:3] == pytest.approx([0.8, 1e-3, 0.3])


def test_rows_beyond_the_window_stay_untouched():
    embeddings, ages, mask = content(filled([1.0, 2.0]))
    assert not embeddings[2:].any()
    assert not ages[2:].any()
    assert not mask[2:].any()


def test_the_best_quality_is_that_of_a_frame_still_in_the_window():
    window = filled([0.0, 1.0], qualities=[0.9, 0.2])
    assert window.best_quality == pytest.approx(0.9)
    window.add(2.5, np.zeros(2, np.float32), 0.1)
    assert window.best_quality == pytest.approx(0.2)
    window.add(9.0, np.zeros(2, np.float32), 0.05)
    assert window.best_quality == pytest.approx(0.05)
