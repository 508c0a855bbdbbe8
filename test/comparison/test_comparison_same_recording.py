import numpy as np
import pytest
from made_answers import LEFT, MIDDLE, RIGHT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.core.errors import DataError

HAPPY = ["happy"] * 100


def one(course, **how):
    return made_answers({"face1": (LEFT, course)}, **how)


def test_other_stamps_are_another_recording():
    sentence = r"made and later are not about the same recording: only 0 stamps agree, of 100 from 0.00 to 3.96 s"
    with pytest.raises(DataError, match=sentence):
        compare_recordings(one(HAPPY), one(HAPPY, start=60.0, name="later"))


@pytest.mark.parametrize("fps", [30.0, 24.0, 29.97])
def test_the_stamps_of_another_frame_rate_are_another_recording(fps):
    with pytest.raises(DataError, match="not about the same recording"):
        compare_recordings(one(HAPPY), one(HAPPY, fps=fps))


def test_faces_at_other_places_are_another_recording():
    with pytest.raises(DataError, match=r"their faces are in other places \(the boxes overlap by 0%"):
        compare_recordings(one(HAPPY), made_answers({"face1": (RIGHT, HAPPY)}))


def test_one_common_person_is_enough():
    old = made_answers({"face1": (LEFT, HAPPY), "face2": (MIDDLE, HAPPY), "face3": (RIGHT, HAPPY)})
    assert compare_recordings(old, made_answers({"face1": (RIGHT, HAPPY)})).lost == pytest.approx(2 / 3)


def moved(recording, x, y):
    """Return the recording with its boxes moved by two functions of the time."""
    for track in recording.tracks:
        track.rois[:, 0] += np.rint(x(track.stamps)).astype(np.int64)
        track.rois[:, 1] += np.rint(y(track.stamps)).astype(np.int64)
    return recording


def test_faces_at_the_same_place_that_do_not_move_together_are_in_doubt():
    apart = one(HAPPY), lambda at: -40 * np.sin(1.5 * at), lambda at: 20 * np.sin(5 * at)
    (doubt,) = compare_recordings(one(HAPPY), moved(*apart)).remarks
    assert doubt.startswith("It is doubtful that both are about the same recording")


def test_boxes_that_are_nearly_equal_but_never_quite_are_in_doubt():
    (doubt,) = compare_recordings(one(HAPPY), moved(one(HAPPY), np.ones_like, np.zeros_like)).remarks
    assert doubt.startswith("It is doubtful")


def test_smaller_boxes_that_move_together_are_beyond_doubt():
    assert compare_recordings(one(HAPPY), one(HAPPY, box=(85, 105))).remarks == ()
