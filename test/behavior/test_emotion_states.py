"""The states of people's emotions: pure, in made seconds."""

import subprocess
import sys

import numpy as np
import pytest

from dfer_ros.behavior.emotion_states import (
    BehaviorError,
    EmotionBlended,
    EmotionChanged,
    EmotionStates,
    EmotionStatesConfig,
    EmotionTransition,
    EmotionUnsure,
    FaceLost,
)
from dfer_ros.core.emotion import Emotion
from dfer_ros.core.labels import EXPRESSIONS

START = 1000.0
PERIOD = 0.125
"""A fraction of two, so that sums of it are exact."""
CONFIG = EmotionStatesConfig(settle_seconds=0.5, unsure_seconds=1.0, stale_seconds=1.0, lost_seconds=2.0)


def emotion(expression, face_id="face1", valence=0.0):
    """Return what dfer_node reads: 0.7 for the expression, 0.05 for each other; 0.4 for happy where it is unknown."""
    named = expression in EXPRESSIONS
    probabilities = np.full(7, 0.05 if named else 0.1, dtype=np.float32)
    probabilities[EXPRESSIONS.index(expression if named else "happy")] = 0.7 if named else 0.4
    return Emotion(face_id, expression, 0.7 if named else 0.4, probabilities, valence, 0.1, 0.5, 2, 1.0, 20)


class Story:
    """Plays images at 8 Hz, without latency, and keeps what happened with the time since the start.

    transitions: apart from all other events.
    """

    def __init__(self, config=CONFIG):
        self.states = EmotionStates(config, "/dfer/emotions")
        self.now = START
        self.events = []
        self.transitions = []

    def _happened(self, events):
        for event in events:
            kept = self.transitions if isinstance(event, EmotionTransition) else self.events
            kept.append((self.now - START, event))

    def show(self, seconds, *emotions):
        for _ in range(round(seconds / PERIOD)):
            self._happened(self.states.update(self.now, self.now, emotions))
            self.now += PERIOD
        return self

    def wait(self, seconds):
        """Let time pass without messages."""
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            self._happened(self.states.expire(self.now))
        return self

    def people(self):
        return {person.face_id: person for person in self.states.people(self.now)}


def test_the_first_emotion_comes_from_unknown_once_it_has_settled():
    story = Story().show(0.5, emotion("happy"))
    assert story.events == []
    assert story.people()["face1"].expression == "unknown"
    story.show(2.0, emotion("happy"))
    assert story.events == [(0.5, EmotionChanged("face1", "unknown", "happy"))]
    assert story.people()["face1"].expression == "happy"


def test_a_change_is_told_once_with_old_and_new():
    story = Story().show(2.0, emotion("happy")).show(2.0, emotion("sad"))
    assert story.events[1:] == [(2.5, EmotionChanged("face1", "happy", "sad"))]
    assert story.transitions == [(2.5, EmotionTransition("face1", "happy", "sad", PERIOD))]


def test_a_flicker_shorter_than_settling_is_no_event():
    story = Story().show(1.0, emotion("happy"))
    for _ in range(20):
        story.show(0.5, emotion("surprised")).show(0.125, emotion("happy"))
    assert len(story.events) == 1


def test_two_rivals_do_not_settle_together():
    story = Story().show(1.0, emotion("happy"))
    for _ in range(10):
        story.show(0.5, emotion("sad")).show(0.5, emotion("angry"))
    assert len(story.events) == 1


def test_a_short_unknown_is_no_event_and_hides_nothing():
    story = Story().show(1.0, emotion("happy")).show(1.0, emotion("unknown"))
    assert story.people()["face1"].expression == "happy"
    story.show(1.0, emotion("happy"))
    assert len(story.events) == 1


def test_another_emotion_after_a_short_unknown_is_one_change():
    story = Story().show(1.0, emotion("happy")).show(0.5, emotion("unknown")).show(1.0, emotion("sad"))
    assert [event for _, event in story.events[1:]] == [EmotionChanged("face1", "happy", "sad")]


def test_a_long_unknown_is_told_once_and_the_same_emotion_is_news_after_it():
    story = Story().show(1.0, emotion("happy")).show(3.0, emotion("unknown"))
    assert story.events[1:] == [(2.0, EmotionUnsure("face1", "happy"))]
    assert story.people()["face1"].expression == "unknown"
    story.show(1.0, emotion("happy"))
    assert [event for _, event in story.events[2:]] == [EmotionChanged("face1", "unknown", "happy")]


def test_who_was_never_known_does_not_become_unsure():
    assert Story().show(5.0, emotion("unknown")).events == []


def test_an_emotion_is_handed_out_with_all_its_numbers():
    person = Story().show(1.0, emotion("sad", valence=-0.6)).people()["face1"]
    assert person.confidence == pytest.approx(0.7)
    assert (person.valence, person.arousal, person.intensity, person.phase) == (-0.6, 0.1, 0.5, "onset")
    assert person.held_seconds == 1.0 - PERIOD
    assert person.age == PERIOD
    assert person.topic == "/dfer/emotions"


def test_the_confidence_is_that_of_the_settled_emotion_while_another_one_is_read():
    story = Story().show(1.0, emotion("happy")).show(0.25, emotion("sad"))
    assert story.people()["face1"].expression == "happy"
    assert story.people()["face1"].confidence == pytest.approx(0.05)


def test_the_confidence_of_unknown_is_that_of_the_most_likely():
    assert Story().show(0.25, emotion("unknown")).people()["face1"].confidence == pytest.approx(0.4)


def test_an_emotion_ages_is_stale_then_lost_once():
    story = Story().show(1.0, emotion("happy")).wait(0.875)
    assert story.people()["face1"].age == 1.0
    assert story.wait(0.125).people() == {}
    assert len(story.events) == 1
    story.wait(5.0)
    assert [event for _, event in story.events[1:]] == [FaceLost("face1")]


def test_a_face_is_lost_while_images_without_it_go_on():
    story = Story().show(1.0, emotion("happy")).show(3.0)
    assert story.events[1:] == [(3.0, FaceLost("face1"))]


def test_who_is_seen_again_before_being_lost_keeps_the_emotion():
    story = Story().show(1.0, emotion("happy")).wait(1.5).show(0.5, emotion("happy"))
    assert len(story.events) == 1
    assert story.people()["face1"].expression == "happy"


def test_what_was_read_before_a_gap_does_not_help_to_settle():
    story = Story().show(0.5, emotion("happy")).wait(1.5).show(0.5, emotion("happy"))
    assert story.events == []


def test_who_comes_after_being_lost_is_somebody_new():
    story = Story().show(1.0, emotion("happy")).wait(3.0).show(1.0, emotion("happy"))
    assert [event for _, event in story.events[1:]] == [FaceLost("face1"), EmotionChanged("face1", "unknown", "happy")]


def test_several_persons_do_not_disturb_each_other():
    story = Story()
    story.show(1.0, emotion("happy", "face1"), emotion("sad", "face2"))
    story.show(1.0, emotion("happy", "face1"), emotion("angry", "face2"))
    story.show(3.0, emotion("happy", "face1"))
    assert [event for _, event in story.events] == [
        EmotionChanged("face1", "unknown", "happy"),
        EmotionChanged("face2", "unknown", "sad"),
        EmotionChanged("face2", "sad", "angry"),
        FaceLost("face2"),
    ]
    assert set(story.people()) == {"face1"}


def test_a_clock_that_jumps_back_loses_everybody_once():
    story = Story().show(1.0, emotion("happy"), emotion("sad", "face2"))
    story.now -= 600.0
    assert story.people() == {}, "what comes from the future is not current"
    story.wait(0.125)
    assert story.states.jumped_back
    assert [event for _, event in story.events[2:]] == [FaceLost("face1"), FaceLost("face2")]
    story.wait(0.125)
    assert not story.states.jumped_back
    story.show(1.0, emotion("happy", "face3"))
    assert not story.states.jumped_back
    assert [event for _, event in story.events[4:]] == [EmotionChanged("face3", "unknown", "happy")]


def test_stamps_that_jump_back_before_the_clock_does_lose_everybody_once():
    story = Story().show(1.0, emotion("happy"))
    story._happened(story.states.update(story.now - 600.0, story.now, [emotion("sad", "face2")]))
    assert story.states.jumped_back
    story.now -= 600.0
    story.show(0.375, emotion("sad", "face2"))
    assert not story.states.jumped_back
    assert [event for _, event in story.events[1:]] == [FaceLost("face1")]


def test_a_clock_set_back_a_little_is_borne():
    story = Story().show(1.0, emotion("happy"))
    story.now -= 0.25
    assert story.people()["face1"].age == 0.0
    assert story.wait(0.125).events == story.events[:1]


def test_a_simulated_clock_that_is_paused_loses_nobody_and_one_that_runs_fast_ages_fast():
    story = Story().show(1.0, emotion("happy"))
    for _ in range(100):
        story._happened(story.states.expire(story.now))
    assert story.people()["face1"].expression == "happy"
    story.now += 10.0
    assert story.people() == {}


def test_old_messages_are_not_used_and_it_is_said_why():
    story = Story().show(1.0, emotion("happy"))
    events = story.states.update(story.now - 0.25, story.now + 3.0, [emotion("sad")])
    assert events == [FaceLost("face1")]
    assert "3.2 s old" in story.states.complaint
    assert "use_sim_time" in story.states.complaint
    assert story.people() == {}
    story.now += 3.0
    assert story.show(0.25, emotion("sad")).states.complaint is None


def test_nothing_is_current_before_a_simulated_clock_has_started():
    states = EmotionStates(CONFIG, "/dfer/emotions")
    assert states.update(50.0, 0.0, [emotion("happy")]) == []
    assert "/clock has not started" in states.complaint
    assert states.people(0.0) == []


def test_images_without_a_stamp_count_as_taken_now():
    states = EmotionStates(CONFIG)
    events = [event for i in range(8) for event in states.update(0.0, START + i * PERIOD, [emotion("happy")])]
    assert events == [EmotionChanged("face1", "unknown", "happy")]


def test_stamps_ahead_of_the_clock_age_from_when_they_come():
    states = EmotionStates(CONFIG)
    for ahead in (0.2, 5.0):
        states.update(START + ahead, START, [emotion("happy")])
        assert states.people(START + 0.5)[0].age == pytest.approx(0.5)


def test_an_older_image_of_a_person_is_passed_over():
    states = EmotionStates(CONFIG)
    states.update(START, START, [emotion("happy", valence=0.8)])
    states.update(START - 0.05, START + 0.01, [emotion("sad", valence=-0.6), emotion("sad", "face2")])
    by_id = {person.face_id: person for person in states.people(START + 0.01)}
    assert by_id["face1"].valence == 0.8
    assert "face2" in by_id, "a second publisher on the topic, a little behind"


def test_an_expression_that_nobody_knows_is_left_out_and_named():
    states = EmotionStates(CONFIG, "/other/emotions")
    states.update(START, START, [emotion("joyful"), emotion("happy", "face2")])
    assert [person.face_id for person in states.people(START)] == ["face2"]
    assert "/other/emotions says 'joyful'" in states.complaint


@pytest.mark.parametrize("change", [{"settle_seconds": -0.1}, {"stale_seconds": 0.0}, {"lost_seconds": 0.5}])
def test_a_configuration_that_cannot_be_is_refused(change):
    with pytest.raises(BehaviorError, match="lost_seconds at least stale_seconds"):
        EmotionStatesConfig(**change)


def test_the_states_and_rules_need_no_ros():
    code = "import sys; sys.modules['rclpy'] = None\n" + "\n".join(
        f"import dfer_ros.behavior.{name}" for name in ("emotion_states", "examples.greetings", "examples.speech_rate")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_transition_is_told_across_doubt_and_not_across_a_face_that_was_lost():
    doubt = Story().show(1.0, emotion("happy")).show(1.5, emotion("unknown")).show(1.0, emotion("sad"))
    assert doubt.transitions == [(3.0, EmotionTransition("face1", "happy", "sad", 1.5 + PERIOD))]
    lost = Story().show(1.0, emotion("happy")).wait(3.0).show(1.0, emotion("sad"))
    assert lost.transitions == []
    assert lost.events[-1][1] == EmotionChanged("face1", "unknown", "sad")


def blended(expression, secondary):
    """Return what dfer_node reads of a face with two names."""
    probabilities = np.full(7, 0.02, dtype=np.float32)
    probabilities[[EXPRESSIONS.index(expression), EXPRESSIONS.index(secondary)]] = 0.5, 0.4
    return Emotion("face1", expression, 0.5, probabilities, 0.2, 0.3, 0.5, 2, 1.0, 20, secondary, 0.4)


def test_a_compound_expression_is_told_once_when_it_has_settled():
    story = Story().show(1.0, emotion("happy")).show(2.0, blended("happy", "surprised"))
    assert story.events[1:] == [(1.5, EmotionBlended("face1", "happy", "surprised"))]
    person = story.people()["face1"]
    assert (person.expression, person.secondary) == ("happy", "surprised")
    assert person.secondary_confidence == pytest.approx(0.4)


def test_flicker_of_the_second_name_is_no_compound_expression():
    story = Story().show(1.0, emotion("happy"))
    for _ in range(8):
        story.show(0.375, blended("happy", "surprised")).show(0.125, emotion("happy"))
    assert len(story.events) == 1
    assert story.people()["face1"].secondary == ""


def test_both_halves_may_change_places():
    story = Story().show(1.0, blended("happy", "surprised"))
    for _ in range(4):
        story.show(0.25, blended("surprised", "happy")).show(0.25, blended("happy", "surprised"))
    assert [event for _, event in story.events if isinstance(event, EmotionBlended)] == [
        EmotionBlended("face1", "happy", "surprised")
    ]


def test_a_compound_expression_ends():
    story = Story().show(1.0, blended("happy", "surprised")).show(1.0, emotion("happy"))
    assert story.people()["face1"].secondary == ""
    assert story.people()["face1"].secondary_confidence == 0.0
