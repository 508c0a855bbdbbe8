import threading
import time
import tracemalloc

import numpy as np
import pytest

from dfer_ros.streams.statistics import WINDOW_SECONDS, DropReason, StreamStatistics


def played(rate, seconds, latency=0.006, faces=1, start=100.0):
    """Return the statistics of an even stream that was processed whole, and the time of its last frame."""
    statistics = StreamStatistics()
    times = start + np.arange(round(rate * seconds)) / rate
    for now in times:
        statistics.received(now)
        statistics.processed(now + latency, latency, faces)
    return statistics, times[-1]


def test_a_stream_that_never_came_has_no_values():
    snapshot = StreamStatistics().snapshot(7.0)
    assert (snapshot.received, snapshot.processed, sum(snapshot.dropped.values())) == (0, 0, 0)
    assert (snapshot.input_rate, snapshot.output_rate, snapshot.drop_share) == (0.0, 0.0, 0.0)
    assert (snapshot.latency_p50, snapshot.latency_p95, snapshot.faces, snapshot.input_age) == (None,) * 4


@pytest.mark.parametrize("rate", [0.5, 5, 29.97, 120, 240])
@pytest.mark.parametrize("seconds", [4.0, 60.0])
@pytest.mark.parametrize("after", [0.0, 0.6])
def test_the_rate_of_an_even_stream_is_exact_wherever_between_two_frames_it_is_asked_for(rate, seconds, after):
    statistics, last = played(rate, seconds)
    assert statistics.snapshot(last + after / rate).input_rate == pytest.approx(rate, rel=1e-6)


def test_in_a_silence_the_rate_falls_to_zero():
    statistics, last = played(30, 10)
    rates = [statistics.snapshot(last + silence).input_rate for silence in (0.01, 1.0, 2.0, 4.0, 4.9, 5.1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[1] == pytest.approx(24.0, rel=0.02)
    assert rates[-1] == 0.0


def test_one_frame_or_several_at_once_give_a_finite_rate():
    statistics = StreamStatistics()
    statistics.received(1.0)
    assert statistics.snapshot(1.0).input_rate == 0.0
    statistics.received(1.0)
    assert np.isfinite(statistics.snapshot(1.0).input_rate)


def test_a_stream_too_fast_for_the_memory_still_has_its_rate():
    statistics, last = played(2000, 10)
    assert statistics.snapshot(last).input_rate == pytest.approx(2000, rel=1e-3)


def test_percentiles_are_those_of_the_window_only():
    statistics, last = played(30, 20, latency=9.0)
    latencies = np.linspace(0.001, 0.1, 100)
    start = last + WINDOW_SECONDS + 10.0
    for index, latency in enumerate(latencies):
        statistics.processed(start + index / 30, latency, 1)
    snapshot = statistics.snapshot(start + 100 / 30)
    assert snapshot.latency_p50 == pytest.approx(np.percentile(latencies, 50))
    assert snapshot.latency_p95 == pytest.approx(np.percentile(latencies, 95))
    assert snapshot.processed == 700


def test_faces_are_those_of_the_last_frame_and_never_old_ones():
    statistics, last = played(30, 1, faces=3)
    statistics.processed(last + 0.1, 0.006, 2)
    assert statistics.snapshot(last + 0.2).faces == 2
    assert statistics.snapshot(last + 0.2 + WINDOW_SECONDS).faces is None


def test_the_age_of_the_input_counts_frames_that_were_dropped_as_well():
    statistics = StreamStatistics()
    statistics.received(3.0)
    statistics.dropped(DropReason.REPLACED)
    assert statistics.snapshot(4.5).input_age == pytest.approx(1.5)


def test_drops_are_counted_by_reason_in_total_and_in_the_window():
    statistics = StreamStatistics()
    for now in (0.0, 100.0, 100.1):
        for reason in DropReason:
            statistics.received(now)
            statistics.dropped(reason)
    snapshot = statistics.snapshot(101.0)
    assert snapshot.dropped == dict.fromkeys(DropReason, 3)
    assert snapshot.recent_dropped == dict.fromkeys(DropReason, 2)


def test_the_drop_share_leaves_out_what_was_asked_for():
    statistics, last = played(30, 1)
    for reason, count in ((DropReason.FRAME_RATE, 90), (DropReason.DISABLED, 5), (DropReason.REPLACED, 10)):
        for _ in range(count):
            statistics.received(last)
            statistics.dropped(reason)
    assert statistics.snapshot(last).recent_losses == 10
    assert statistics.snapshot(last).drop_share == pytest.approx(10 / 40)
    assert {reason for reason in DropReason if reason.intended} == {DropReason.FRAME_RATE, DropReason.DISABLED}


def test_a_snapshot_does_not_change_afterwards():
    statistics, last = played(30, 1)
    snapshot = statistics.snapshot(last)
    statistics.dropped(DropReason.FAILED)
    statistics.received(last + 1)
    assert snapshot.received == 30
    assert snapshot.dropped[DropReason.FAILED] == 0


def test_nothing_is_lost_between_threads():
    statistics = StreamStatistics()

    def camera():
        for index in range(5000):
            statistics.received(index / 30)
            statistics.dropped(DropReason.REPLACED)
            statistics.processed(index / 30, 0.01, 1)

    threads = [threading.Thread(target=camera) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        statistics.snapshot(5000 / 30)
    snapshot = statistics.snapshot(5000 / 30)
    assert (snapshot.received, snapshot.processed, snapshot.dropped[DropReason.REPLACED]) == (20000, 20000, 20000)


def test_memory_does_not_grow_with_time():
    statistics = StreamStatistics()

    def play(first, last):
        for index in range(first, last):
            statistics.received(index / 100)
            statistics.dropped(DropReason.REPLACED)
            statistics.processed(index / 100, index * 1e-6, 1)

    tracemalloc.start()
    try:
        play(0, 5_000)
        before, _ = tracemalloc.get_traced_memory()
        play(5_000, 50_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert before < 1_000_000
    assert after - before < 20_000


def test_a_frame_costs_less_than_ten_microseconds():
    statistics = StreamStatistics()

    def batch():
        start = time.perf_counter()
        for index in range(200):
            statistics.received(index / 30)
            statistics.processed(index / 30, 0.01, 1)
        return (time.perf_counter() - start) / 200

    # The best of many short batches: about one microsecond, and one of them is left alone on a busy machine as well.
    assert min(batch() for _ in range(100)) < 10e-6


def test_stamps_that_repeat_are_counted_with_the_frames_of_the_window():
    statistics = StreamStatistics()
    for index in range(20):
        statistics.received(100.0 + index)
        if index % 2:
            statistics.repeated()
    snapshot = statistics.snapshot(119.5)
    assert (snapshot.recent_received, snapshot.recent_repeated) == (5, 3)
