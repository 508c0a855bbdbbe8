import numpy as np
import pytest
from known_courses import FPS, recording_of

from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.report.person import describe_people
from dfer_ros.report.time_bins import TimeBins, create_axis


def bins_of(pieces, most_bins, fps=FPS):
    recording = recording_of({"face1": pieces}, fps=fps)
    axis = create_axis(recording.begin, recording.end, recording.interval, most_bins)
    return TimeBins(describe_people(recording)[0], axis)


def test_a_short_recording_has_a_bin_for_each_frame():
    bins = bins_of([("happy", 2)], 1000)
    assert bins.axis.count == 2 * FPS
    intensity = bins.person.track.intensity
    assert bins.mean(intensity) == pytest.approx(intensity)
    assert (bins.highest(intensity) == bins.lowest(intensity)).all()


@pytest.mark.parametrize("digits", [6, 3], ids=["as a JSONL file rounds", "as a Matroska file rounds"])
def test_stamps_that_are_rounded_leave_each_answer_in_its_own_bin(digits):
    recording = recording_of({"face1": [("happy", 10), ("sad", 10)]})
    stamps = np.round(recording.stamps, digits)
    recording.tracks[0].stamps[:] = stamps
    axis = create_axis(0.0, 20.0, 1 / FPS, 6000)
    bins = TimeBins(describe_people(recording)[0], axis)
    assert axis.bins(stamps).tolist() == list(range(600))
    assert set(bins.shares().ravel().tolist()) == {0.0, 1.0}


def test_the_bins_of_a_file_are_its_frames():
    recording = recording_of({"face1": [("happy", 10), ("sad", 10)]})
    stamps = np.round(recording.stamps, 6)
    rounded = RecordedEmotions("rounded", recording.tracks, stamps)
    axis = create_axis(rounded.begin, rounded.end, rounded.interval, 6000)
    assert axis.bins(stamps).tolist() == list(range(600))


def test_an_expression_of_one_frame_is_not_lost_in_an_hour():
    bins = bins_of([("neutral", 1800), ("scared", 0.2), ("neutral", 1799)], 1000, fps=5.0)
    scared = STATES.index("scared")
    assert bins.axis.count == 1000
    assert (bins.shares()[scared] > 0).sum() == 1
    assert bins.highest(bins.person.track.probabilities[:, scared]).max() > 0.7
    assert bins.mean(bins.person.track.probabilities[:, scared]).max() < 0.1


def test_bins_in_a_gap_have_no_value():
    bins = bins_of([("happy", 2), (None, 2), ("sad", 4)], 80)
    seen = bins.seen()
    assert np.flatnonzero(~seen).tolist() == list(range(20, 40))
    assert np.isnan(bins.highest(bins.person.track.intensity)).tolist() == (~seen).tolist()
    assert bins.shares()[:, ~seen].sum() == 0


def test_frames_that_jitter_or_are_missing_leave_no_holes():
    recording = recording_of({"face1": [("happy", 4)]})
    keep = np.random.default_rng(0).permutation(120)[:90]
    stamps = np.sort(recording.tracks[0].stamps[keep]) + np.random.default_rng(1).uniform(0, 0.01, 90)
    stamps[0] = 0.0
    thinned = recording_of({"face1": [("happy", 3)]})
    thinned.tracks[0].stamps[:] = stamps
    axis = create_axis(0.0, float(stamps[-1]), 1 / FPS, 1000)
    assert TimeBins(describe_people(thinned)[0], axis).seen().all()


def test_the_shares_of_a_bin_add_up_to_one():
    bins = bins_of([("happy", 1), ("sad", 1), ("unknown", 1)], 7)
    assert bins.shares().sum(axis=0) == pytest.approx(np.ones(7))


def test_a_single_answer_has_an_axis():
    bins = bins_of([("happy", 1 / FPS)], 100)
    assert bins.axis.count == 1
    assert bins.axis.seconds == pytest.approx(1 / FPS)
    assert bins.seen().all()
