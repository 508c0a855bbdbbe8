import pytest
from made_answers import LEFT, MIDDLE, RIGHT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.core.labels import UNKNOWN
from dfer_ros.recordings.emotion_track import STATES

HAPPY, SAD = ["happy"] * 100, ["sad"] * 100


def one(course, **how):
    return made_answers({"face1": (LEFT, course)}, **how)


def test_the_same_answers_agree_in_everything():
    same = compare_recordings(one(HAPPY), one(HAPPY))
    assert (same.agreement, same.agreement_named, same.lost, same.found) == (1.0, 1.0, 0.0, 0.0)
    assert (same.probability_shift, same.confidence.mean, same.confidence.largest) == (0.0, 0.0, 0.0)
    assert (same.frames, len(same.pairs), same.remarks, same.scores) == (100, 100, (), None)
    assert same.old == same.new


def test_agreement_is_the_share_of_equal_labels_and_changes_say_what_became_what():
    new = HAPPY[:70] + ["surprised"] * 20 + [UNKNOWN] * 10
    comparison = compare_recordings(one(HAPPY), one(new))
    assert comparison.agreement == pytest.approx(0.7)
    assert comparison.agreement_named == pytest.approx(70 / 90)
    happy = STATES.index("happy")
    assert comparison.changes.sum() == 100
    assert comparison.changes[happy, STATES.index("surprised")] == 20
    assert comparison.changes[happy, STATES.index(UNKNOWN)] == 10
    assert (comparison.old.unknown, comparison.new.unknown) == (0.0, pytest.approx(0.1))


def test_where_nothing_is_named_on_both_sides_there_is_no_agreement_on_names():
    assert compare_recordings(one(HAPPY), one([UNKNOWN] * 100)).agreement_named is None


def test_flips_are_counted_in_a_minute_of_a_face_that_is_seen():
    flickering = (["happy"] * 5 + ["sad"] * 5) * 10
    comparison = compare_recordings(one(HAPPY), one(flickering))
    assert (comparison.old.flips, comparison.new.flips) == (0, 19)
    assert comparison.new.seconds == pytest.approx(4.0)
    assert comparison.new.flips_per_minute == pytest.approx(19 * 15)


def test_flips_are_those_of_everybody():
    half = ["happy"] * 50 + ["sad"] * 50
    old = made_answers({"face1": (LEFT, half), "face2": (RIGHT, half)})
    assert compare_recordings(old, old).old.flips_per_minute == pytest.approx(2 / 8 * 60)


def test_shifts_are_new_minus_old():
    new = one(HAPPY, confidence=0.6, valence=0.3, arousal=-0.1)
    comparison = compare_recordings(one(HAPPY), new)
    assert comparison.confidence.mean == pytest.approx(-0.2)
    assert (comparison.confidence.mean_absolute, comparison.confidence.largest) == pytest.approx((0.2, 0.2))
    assert (comparison.valence.mean, comparison.arousal.mean) == (pytest.approx(0.2), pytest.approx(-0.3))
    assert comparison.probability_shift == pytest.approx(0.2)


def test_faces_lost_and_found_are_shares_of_answers():
    old = made_answers({"face1": (LEFT, HAPPY), "face2": (RIGHT, HAPPY)})
    new = made_answers({"one": (LEFT, HAPPY[:80]), "three": (MIDDLE, HAPPY[:40])})
    comparison = compare_recordings(old, new)
    assert comparison.lost == pytest.approx(120 / 200)
    assert comparison.found == pytest.approx(40 / 120)
    assert [(pair.old_id, pair.new_id, pair.frames) for pair in comparison.people] == [("face1", "one", 80)]


def test_a_frame_in_which_the_new_side_sees_nobody_is_a_face_lost():
    comparison = compare_recordings(one(HAPPY), one(HAPPY[:60] + [None] * 30 + HAPPY[:10]))
    assert comparison.lost == pytest.approx(0.3)
    assert comparison.frames == 100


def test_who_is_who_tells_how_far_each_person_agrees():
    old = made_answers({"face1": (LEFT, HAPPY), "face2": (RIGHT, SAD[:50])})
    new = made_answers({"face2": (LEFT, HAPPY), "face1": (RIGHT, SAD[:25] + HAPPY[:25])})
    people = compare_recordings(old, new).people
    assert [(pair.old_id, pair.new_id, pair.frames, pair.agreement) for pair in people] == [
        ("face1", "face2", 100, 1.0),
        ("face2", "face1", 50, 0.5),
    ]


def test_other_frame_rates_compare_the_frames_that_both_name():
    comparison = compare_recordings(one(HAPPY), one(HAPPY[:20], fps=5.0))
    assert (comparison.frames, len(comparison.pairs)) == (20, 20)
    assert (comparison.lost, comparison.found) == (0.0, 0.0)
    (remark,) = comparison.remarks
    assert remark.startswith("The frame rates differ (25 and 5 Hz)")


def test_remarks_on_the_files_come_along():
    old = one(HAPPY)
    object.__setattr__(old, "remarks", ("Stamps that went back: 1.",))
    assert compare_recordings(old, one(HAPPY)).remarks == ("made: Stamps that went back: 1.",)
