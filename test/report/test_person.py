import numpy as np
import pytest
from known_courses import recording_of

from dfer_ros.report.person import describe_people


def test_the_time_of_each_state_adds_up_to_the_time_in_view(people):
    for person in people:
        assert sum(figures.seconds for figures in person.figures) == pytest.approx(person.seen_seconds)
        assert sum(figures.share for figures in person.figures) == pytest.approx(1.0)


def test_the_one_who_was_seen_longest_comes_first(people):
    assert [person.face_id for person in people] == ["face1", "face2"]
    assert [round(person.seen_seconds, 1) for person in people] == [12.0, 4.1]


def test_visits_are_the_stretches_in_view(people):
    assert people[0].visits == pytest.approx(np.array([[0, 12]]), abs=1e-6)
    assert people[1].visits == pytest.approx(np.array([[3, 6], [8, 9.1]]), abs=1e-6)


def test_the_ranking_is_by_time_and_leaves_unknown_out(people):
    assert [figures.state for figures in people[0].ranking] == ["neutral", "sad", "happy", "surprised"]
    assert people[0].unknown.seconds == pytest.approx(1.0)


def test_the_figures_of_an_expression_are_those_of_its_episodes(people):
    happy = people[0].figures[1]
    (episode,) = (episode for episode in people[0].episodes if episode.expression == "happy")
    assert (happy.episodes, happy.apex_intensity) == (1, episode.intensity)
    assert (happy.mean_duration, happy.onset_speed) == (episode.duration, episode.onset_speed)
    assert 0.5 < happy.mean_intensity < happy.apex_intensity
    assert happy.confidence == pytest.approx(0.6 + 0.2 * 2 / np.pi, abs=0.01)


def test_what_was_never_named_has_no_figures(people):
    disgusted = people[0].figures[6]
    assert (disgusted.seconds, disgusted.share, disgusted.episodes) == (0, 0, 0)
    assert disgusted.mean_intensity is disgusted.onset_speed is disgusted.confidence is None


def test_the_figures_of_a_head_are_weighted_by_time():
    recording = recording_of({"face1": [("happy", 10)]}, fps=10)
    poses = recording.tracks[0].head_poses
    poses[:50] = (5.0, 10.0, 40.0)
    poses[50:80] = (5.0, -10.0, -5.0)
    (person,) = describe_people(recording)
    assert person.head.known == pytest.approx(0.8)
    assert person.head.facing == pytest.approx(3 / 8)
    assert person.head.yaw == (-5.0, 40.0, 40.0)
    assert person.head.pitch == (-10.0, 10.0, 10.0)
    assert person.head.roll == (5.0, 5.0, 5.0)


def test_without_head_poses_there_are_no_figures_of_a_head(people):
    assert all(person.head is None for person in people)


def test_confidence_is_that_of_what_was_named():
    (person,) = describe_people(recording_of({"face1": [("unknown", 2)]}))
    assert person.confidence is None
    assert person.ranking == ()


def test_answers_at_the_same_moment_are_no_trouble():
    recording = recording_of({"face1": [("happy", 1)]}, fps=30.0)
    recording.tracks[0].stamps[:] = 0.0
    (person,) = describe_people(recording)
    assert person.figures[1].share == pytest.approx(1.0)
