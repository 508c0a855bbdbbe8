import numpy as np
import pytest
from made_recordings import made_recording, row_of

from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.recordings.track_builder import TrackBuilder


def test_an_answer_holds_until_the_next_one_and_across_a_gap_for_one_interval():
    recording = made_recording(["happy", "happy", "happy", None, "sad", *[None] * 20, "sad", "sad"])
    assert recording.interval == pytest.approx(0.1)
    assert recording.durations(recording.tracks[0]) == pytest.approx([0.1, 0.1, 0.2, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(("interval", "gap"), [(1 / 30, 0.5), (0.1, 0.5), (1.0, 3.0)])
def test_a_gap_is_half_a_second_or_three_frames(interval, gap):
    assert RecordedEmotions("x", (), np.arange(20) * interval).gap_seconds == pytest.approx(gap)


def test_begin_and_end_are_those_of_the_frames():
    recording = RecordedEmotions("x", (), 5.0 + np.arange(11) * 0.1)
    assert (recording.begin, recording.end) == pytest.approx((5.0, 6.1))


@pytest.mark.parametrize("stamps", [[], [7.0], [7.0, 7.0]])
def test_too_few_frames_have_a_usual_interval(stamps):
    assert RecordedEmotions("x", (), np.array(stamps)).interval == pytest.approx(1 / 30)


def test_a_name_that_is_no_text_becomes_one():
    assert RecordedEmotions("a\udcffb", (), np.zeros(0)).name == "a?b"


def test_answers_are_sorted_by_time_and_people_by_how_often_they_were_seen():
    rows = TrackBuilder()
    for stamp in (3.0, 1.0, 2.0):
        rows.add("often", row_of(stamp, int(stamp), "happy"))
    rows.add("once", row_of(0.0, 0, "sad"))
    tracks, _ = rows.tracks()
    assert [track.face_id for track in tracks] == ["often", "once"]
    assert tracks[0].stamps.tolist() == [1.0, 2.0, 3.0]
    assert tracks[0].frames.tolist() == [1, 2, 3]
    assert tracks[0].rois[0].tolist() == [10, 20, 30, 40]
    assert tracks[0].probabilities.shape == (3, 7)


@pytest.mark.parametrize(
    ("column", "value"),
    [(0, float("nan")), (0, 1e300), (6, 8), (6, -1), (7, 5), (8, 1.5), (9, -2.0), (11, -0.5), (12, 0.7), (13, 2.0)],
)
def test_impossible_answers_are_left_out_and_counted(column, value):
    rows = TrackBuilder()
    rows.add("face1", row_of(1.0, 1, "happy"))
    wrong = list(row_of(2.0, 2, "happy"))
    wrong[column] = value
    rows.add("face1", wrong)
    tracks, left_out = rows.tracks()
    assert (len(tracks[0]), left_out) == (1, 1)


@pytest.mark.parametrize("face_id", [None, 3, "a\nb", "\ud800"])
def test_face_ids_that_cannot_be_shown_are_refused(face_id):
    with pytest.raises((TypeError, ValueError)):
        TrackBuilder().add(face_id, row_of(1.0, 1, "happy"))
