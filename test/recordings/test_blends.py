import pytest
from made_recordings import made_recording

from dfer_ros.recordings.blends import BlendConfig, find_blends

BOTH = ("happy", 0.5, "unknown", {"happy": 0.5, "surprised": 0.4, "neutral": 0.1})
OTHERS = ("sad", 0.5, "unknown", {"sad": 0.5, "scared": 0.4, "neutral": 0.1})
ONE = ("happy", 0.5, "unknown", {"happy": 0.8, "surprised": 0.2})
CALM = ("neutral", 0.1, "unknown", {"neutral": 0.6, "happy": 0.4})


def blends_of(course, **config):
    recording = made_recording(course)
    return find_blends(recording, recording.tracks[0], BlendConfig(**config))


def test_two_likely_expressions_at_once_are_a_blend():
    (blend,) = blends_of([*[ONE] * 5, *[BOTH] * 5, *[ONE] * 5])
    assert blend.expressions == ("happy", "surprised")
    assert blend.probabilities == pytest.approx((0.5, 0.4))
    assert (blend.begin, blend.end, blend.duration) == pytest.approx((0.5, 1.0, 0.5))


@pytest.mark.parametrize("answer", [ONE, CALM], ids=["one expression", "one and neutral"])
def test_one_expression_is_none(answer):
    assert blends_of([answer] * 10) == []


def test_a_passing_crossing_is_none():
    assert blends_of([*[ONE] * 5, *[BOTH] * 2, *[ONE] * 5]) == []
    assert len(blends_of([*[ONE] * 5, *[BOTH] * 2, *[ONE] * 5], least_seconds=0.19)) == 1


def test_a_short_interruption_does_not_end_a_blend_and_another_pair_does():
    assert len(blends_of([*[BOTH] * 5, ONE, *[BOTH] * 5])) == 1
    pairs = [blend.expressions for blend in blends_of([*[BOTH] * 5, *[OTHERS] * 5])]
    assert pairs == [("happy", "surprised"), ("sad", "scared")]


def test_a_gap_ends_a_blend():
    assert len(blends_of([*[BOTH] * 5, *[None] * 20, *[BOTH] * 5])) == 2


def test_unknown_frames_can_be_a_blend():
    unsure = ("unknown", 0.5, "unknown", {"angry": 0.35, "disgusted": 0.35, "neutral": 0.3})
    assert len(blends_of([unsure] * 10)) == 1
