import itertools

import pytest
from made_recordings import FPS, made_recording

from dfer_ros.recordings.episodes import EpisodeConfig, find_episodes

CALM = [("neutral", 0.1)]
RISE = [("neutral", 0.1), ("neutral", 0.3), ("happy", 0.5), ("happy", 0.7), ("happy", 0.9)]
FALL = [("happy", 0.7), ("happy", 0.5), ("neutral", 0.3), ("neutral", 0.1)]


def episodes_of(course, **config):
    recording = made_recording(course)
    return find_episodes(recording, recording.tracks[0], EpisodeConfig(**config))


def seconds(frames):
    return pytest.approx(frames / FPS)


def test_onset_apex_and_offset_lie_where_the_intensity_turns():
    (episode,) = episodes_of([*CALM * 10, *RISE, *FALL, *CALM * 10])
    assert episode.expression == "happy"
    assert (episode.onset, episode.apex, episode.offset) == (seconds(10), seconds(14), seconds(18))
    assert episode.duration == seconds(8)
    assert (episode.onset_seen, episode.offset_seen) == (True, True)
    assert (episode.intensity, episode.confidence) == (0.9, 1.0)


def test_the_onset_speed_is_the_rise_from_10_to_90_percent():
    (episode,) = episodes_of([*CALM * 10, *RISE, *FALL, *CALM * 10])
    assert episode.onset_speed == pytest.approx((0.9 - 0.1) / 0.4)
    slow = [(name, intensity) for name, intensity in RISE for _ in range(2)]
    (half,) = episodes_of([*CALM * 10, *slow, *FALL])
    assert half.onset_speed == pytest.approx(0.8 / 0.7)


def test_a_neutral_phase_ends_the_search_for_onset_and_offset():
    course = [("neutral", 0.1, "neutral"), ("neutral", 0.2, "onset"), ("neutral", 0.3, "neutral")]
    course += [("happy", 0.8, "apex"), ("neutral", 0.3, "neutral"), ("neutral", 0.1, "neutral")]
    (episode,) = episodes_of(course)
    assert (episode.onset, episode.offset) == (seconds(2), seconds(4))


def test_the_apex_is_looked_for_in_the_phase_apex():
    course = [*CALM, ("happy", 0.9, "onset"), ("happy", 0.6, "apex"), ("happy", 0.7, "apex"), ("happy", 0.8, "offset")]
    (episode,) = episodes_of([*course, *CALM])
    assert (episode.apex, episode.intensity, episode.apex_index) == (seconds(3), 0.7, 3)


@pytest.mark.parametrize("between", ["neutral", "unknown"])
def test_a_short_interruption_does_not_end_an_expression(between):
    course = [*CALM * 5, *["happy"] * 5, between, *["happy"] * 5, *CALM * 5]
    assert len(episodes_of(course)) == 1
    assert len(episodes_of(course, bridge_seconds=0.1)) == 2


def test_a_longer_interruption_and_another_expression_end_it():
    assert len(episodes_of([*["happy"] * 5, *["neutral"] * 5, *["happy"] * 5])) == 2
    names = [episode.expression for episode in episodes_of([*["happy"] * 5, "sad", *["happy"] * 5])]
    assert names == ["happy", "sad", "happy"]


def test_an_expression_of_one_frame_is_one():
    (episode,) = episodes_of([*CALM * 5, "scared", *CALM * 5])
    assert episode.expression == "scared"
    assert episode.apex == seconds(5)
    assert episode.duration > 0


def test_expressions_that_follow_at_once_meet_and_the_second_has_no_onset_speed():
    first, second = episodes_of([*CALM * 5, *RISE, ("surprised", 0.6), ("surprised", 0.9), *CALM * 5])
    assert first.offset == second.onset == seconds(10)
    assert second.onset_seen
    assert first.onset_speed is not None
    assert second.onset_speed is None


def test_an_expression_that_was_there_before_the_face_came_into_view_is_cut():
    (episode,) = episodes_of(["happy"] * 5)
    assert (episode.onset_seen, episode.offset_seen) == (False, False)
    assert (episode.onset, episode.offset) == (seconds(0), seconds(5))
    assert episode.onset_speed is None


def test_a_gap_ends_an_expression_and_nothing_is_looked_for_beyond_it():
    first, second = episodes_of([*CALM * 5, *["happy"] * 5, *[None] * 20, *["happy"] * 5, *CALM * 5])
    assert (first.offset, first.offset_seen) == (seconds(10), False)
    assert (second.onset, second.onset_seen) == (seconds(30), False)


def test_missing_frames_shorter_than_a_gap_do_not_end_it():
    assert len(episodes_of([*CALM * 5, *["happy"] * 5, None, *["happy"] * 5])) == 1


def test_the_onset_lies_at_most_two_seconds_before_the_expression_is_named():
    creeping = [("neutral", 0.1 + 0.005 * frame) for frame in range(60)]
    (near,), (far,) = (episodes_of([*creeping, ("happy", 0.9)], reach_seconds=reach) for reach in (2.0, 10.0))
    assert near.onset == seconds(52)  # up to 0.36: a tenth of the way from 0.3, where the search began, to 0.9
    assert far.onset == seconds(16)  # up to 0.18, a tenth of the way from 0.1


def test_episodes_do_not_overlap():
    course = [*CALM * 3, *RISE, *FALL, *RISE, *FALL, ("unknown", 0.4), *RISE, ("angry", 0.6), *FALL]
    episodes = episodes_of(course)
    assert len(episodes) >= 4
    assert all(first.offset <= second.onset for first, second in itertools.pairwise(episodes))


def test_neutral_and_unknown_are_no_expressions():
    assert episodes_of([*CALM * 5, *["unknown"] * 5]) == []
