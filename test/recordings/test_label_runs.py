import numpy as np
import pytest
from made_recordings import made_recording

from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.recordings.label_runs import find_transitions, label_runs, transition_counts, transitions


def test_runs_end_at_a_change_and_at_a_gap():
    recording = made_recording(["happy"] * 3 + ["sad"] * 2 + [None] * 20 + ["sad"] * 4)
    track = recording.tracks[0]
    runs = label_runs(track, track.states, recording.gap_seconds)
    assert runs.starts.tolist() == [0, 3, 5]
    assert runs.ends.tolist() == [3, 5, 9]
    assert [STATES[value] for value in runs.values] == ["happy", "sad", "sad"]
    assert runs.after_gap.tolist() == [True, False, True]


def test_transitions_count_changes_but_not_across_a_gap():
    course = ["neutral", "happy", "happy", "neutral", "happy", "unknown", *[None] * 20, "angry", "angry"]
    recording = made_recording(course)
    counts = transitions(recording.tracks[0], recording.gap_seconds)
    found = {(STATES[a], STATES[b]): counts[a, b] for a in range(8) for b in range(8) if counts[a, b]}
    assert found == {("neutral", "happy"): 2, ("happy", "neutral"): 1, ("happy", "unknown"): 1}


def test_a_single_answer_is_a_run_without_transitions():
    recording = made_recording(["sad"])
    assert transitions(recording.tracks[0], recording.gap_seconds).sum() == 0


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
