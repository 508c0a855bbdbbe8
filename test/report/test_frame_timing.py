import numpy as np
import pytest

from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.frame_timing import measure_timing, pause_remarks


def timing_of(stamps, received=None):
    return measure_timing(RecordedEmotions("made", (), np.array(stamps, float), received))


def test_missing_frames_are_counted_by_how_many_in_a_row():
    frames = [frame for frame in range(100) if frame not in (10, 20, 21, 30, 31, 32)]
    timing = timing_of([frame / 30 for frame in frames])
    assert (timing.frames, timing.missing) == (94, 6)
    assert timing.missing_share == pytest.approx(0.06)
    assert dict(timing.missing_runs) == {"1": 1, "2": 1, "3 to 5": 1, "6 to 10": 0, "more than 10": 0}


def test_a_pause_is_no_missing_frame():
    timing = timing_of([*np.arange(30) / 30, *(10 + np.arange(30) / 30)])
    assert timing.missing == 0
    assert timing.pauses == pytest.approx([10 - 29 / 30])
    assert len(timing.intervals) == 58


def test_a_pause_that_takes_nearly_all_of_a_recording_is_told():
    stamps = np.array([*np.arange(30) / 30, 1.7e9])
    (remark,) = pause_remarks(RecordedEmotions("made", (), stamps))
    assert "19,675 d 22 h takes >99 % of the recording" in remark.replace("\u00a0", " ")


@pytest.mark.parametrize(
    "stamps", [[], [1.0], np.arange(300) / 30, [*np.arange(300) / 30, *(20 + np.arange(300) / 30)]]
)
def test_other_pauses_need_no_words(stamps):
    assert pause_remarks(RecordedEmotions("made", (), np.array(stamps, float))) == ()


def test_jitter_is_no_missing_frame():
    jitter = np.random.default_rng(0).uniform(-0.007, 0.007, 200)
    assert timing_of(np.arange(200) / 30 + jitter).missing == 0


def test_the_latency_is_the_time_to_the_recorder():
    stamps = np.arange(50) / 30
    timing = timing_of(stamps, stamps + 0.04)
    assert timing.latencies == pytest.approx(np.full(50, 0.04))
    assert not timing.other_clock


@pytest.mark.parametrize("offset", [-1.0, 3600.0])
def test_a_latency_between_two_clocks_is_none(offset):
    stamps = np.arange(50) / 30
    timing = timing_of(stamps, stamps + offset)
    assert timing.latencies is None
    assert timing.other_clock


@pytest.mark.parametrize("stamps", [[], [1.0]])
def test_too_few_frames_have_no_intervals(stamps):
    timing = timing_of(stamps)
    assert (len(timing.intervals), timing.missing, timing.latencies) == (0, 0, None)
