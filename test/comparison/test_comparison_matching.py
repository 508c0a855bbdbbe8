import numpy as np
import pytest
from made_answers import LEFT, MIDDLE, RIGHT, made_answers

from dfer_ros.comparison.matching import align_answers, iou, match_faces, meetings

HAPPY = ["happy"] * 50


def who_is_who(old, new):
    """Return how many frames each pair of ids shares."""
    sides = align_answers(old, new)
    pairs = match_faces(*sides, meetings(*sides))
    assert len(set(pairs.old)) == len(set(pairs.new)) == len(pairs)
    ids = [
        [side.recording.tracks[track].face_id for track in side.tracks[which]]
        for side, which in zip(sides, (pairs.old, pairs.new))
    ]
    return {pair: list(zip(*ids)).count(pair) for pair in zip(*ids)}


@pytest.mark.parametrize(
    ("second", "overlap"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 10, 10), 1 / 3),
        ((2, 2, 5, 5), 0.25),
        ((10, 0, 10, 10), 0.0),
        ((30, 30, 10, 10), 0.0),
        ((0, 0, 0, 0), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(second, overlap):
    assert iou(np.array([(0.0, 0, 10, 10)]), np.array([second], float))[0] == pytest.approx(overlap)


def test_two_empty_boxes_do_not_overlap():
    assert iou(np.zeros((1, 4)), np.zeros((1, 4)))[0] == 0


def test_faces_are_matched_by_place_not_by_id():
    old = made_answers({"face1": (LEFT, HAPPY), "face2": (RIGHT, HAPPY)})
    new = made_answers({"face1": (RIGHT, HAPPY), "face2": (LEFT, HAPPY)})
    assert who_is_who(old, new) == {("face1", "face2"): 50, ("face2", "face1"): 50}


def test_boxes_of_another_detector_are_matched():
    old, new = made_answers({"face1": (LEFT, HAPPY)}), made_answers({"one": (LEFT, HAPPY)}, box=(85, 100))
    assert who_is_who(old, new) == {("face1", "one"): 50}


def test_a_person_whose_id_changed_is_matched_to_both_faces():
    old = made_answers({"face1": (LEFT, HAPPY)})
    new = made_answers({"face1": (LEFT, HAPPY[:30] + [None] * 20), "face2": (LEFT, [None] * 35 + HAPPY[:15])})
    assert who_is_who(old, new) == {("face1", "face1"): 30, ("face1", "face2"): 15}


def test_who_is_matched_longest_goes_first_where_two_overlap():
    old = made_answers({"face1": (LEFT, HAPPY)})
    new = made_answers({"ghost": (LEFT + 10, HAPPY[:10] + [None] * 40), "face1": (LEFT, HAPPY)})
    assert who_is_who(old, new) == {("face1", "face1"): 50}


def test_people_who_are_elsewhere_are_not_matched():
    old = made_answers({"face1": (LEFT, HAPPY), "face2": (MIDDLE, HAPPY)})
    new = made_answers({"face1": (LEFT, HAPPY), "face2": (RIGHT, HAPPY)})
    assert who_is_who(old, new) == {("face1", "face1"): 50}


def test_frames_are_matched_by_stamps_that_differ_by_rounding():
    old, new = made_answers({"face1": (LEFT, HAPPY)}), made_answers({"face1": (LEFT, HAPPY)}, start=0.0004)
    assert who_is_who(old, new) == {("face1", "face1"): 50}


def test_stamps_of_today_are_told_apart():
    now = 1.7e9
    old, new = (made_answers({"face1": (LEFT, HAPPY)}, start=now, fps=240.0) for _ in range(2))
    assert who_is_who(old, new) == {("face1", "face1"): 50}


def test_half_the_frame_rate_matches_every_other_frame():
    old, new = made_answers({"face1": (LEFT, HAPPY)}), made_answers({"face1": (LEFT, HAPPY[:25])}, fps=12.5)
    assert who_is_who(old, new) == {("face1", "face1"): 25}


def test_a_frame_that_was_played_twice_counts_once():
    old = made_answers({"face1": (LEFT, HAPPY)})
    sides = align_answers(old, old)
    track = old.tracks[0]
    twice = made_answers({"face1": (LEFT, HAPPY)})
    fields = {
        name: np.repeat(getattr(track, name), 2, axis=0)
        for name in ("stamps", "frames", "rois", "states", "phases", "confidences", "probabilities", "head_poses")
    }
    fields |= {name: np.repeat(getattr(track, name), 2) for name in ("valence", "arousal", "intensity")}
    object.__setattr__(twice, "tracks", (type(track)(track.face_id, **fields),))
    assert len(align_answers(old, twice)[1]) == len(sides[1]) == 50
