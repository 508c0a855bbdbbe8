from made_recordings import made_recording

from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.recordings.label_runs import label_runs, transitions


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
