import numpy as np
import pytest
from made_recordings import made_recording

from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.recordings.label_runs import find_transitions, transition_counts


def transitions_of(course):
    recording = made_recording(course)
    return find_transitions(recording, recording.tracks[0])


def test_transitions_of_a_recording_have_its_stamps():
    (one,) = transitions_of(["happy"] * 10 + ["unknown"] * 2 + ["sad"] * 10)
    assert (one.old, one.new) == ("happy", "sad")
    assert (one.begin, one.end) == pytest.approx((0.9, 1.2))


def test_flicker_and_gaps_are_no_transitions():
    assert transitions_of(["happy"] * 10 + ["sad", "happy"] * 10) == []
    assert transitions_of(["happy"] * 10 + [None] * 30 + ["sad"] * 10) == []
    assert transitions_of(["happy"] * 10 + ["sad"] * 3 + [None] * 10 + ["sad"] * 3) == []


def test_counts_and_times_by_pair():
    found = transitions_of((["happy"] * 8 + ["sad"] * 8) * 3)
    counts, seconds = transition_counts(found)
    happy, sad = STATES.index("happy"), STATES.index("sad")
    assert (counts[happy, sad], counts[sad, happy], counts.sum()) == (3, 2, 5)
    assert seconds[happy, sad] == pytest.approx(0.1)
    assert np.isnan(seconds[happy, happy])
