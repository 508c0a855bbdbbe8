"""When a robot speaks slower."""

import pytest

from dfer_ros.behavior.emotion_states import PersonEmotion
from dfer_ros.behavior.examples.speech_rate import (
    CONFUSED,
    FRUSTRATED,
    SpeechRate,
    SpeechRateConfig,
    SpeechRateRule,
    impression,
)
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN, VALENCE_AROUSAL

CONFIG = SpeechRateConfig(slow_rate=0.8, sustained_seconds=2.0, recovery_seconds=3.0)
PERIOD = 0.25


def person(expression, face_id="face1", valence=None, held=0.0):
    likely = float(VALENCE_AROUSAL[EXPRESSIONS.index(expression), 0]) if expression in EXPRESSIONS else 0.0
    valence = likely if valence is None else valence
    return PersonEmotion(face_id, expression, 0.8, "", 0.0, valence, 0.3, 0.6, "apex", held, 0.05, "/dfer/emotions")


class Robot:
    def __init__(self):
        self.rule = SpeechRateRule(CONFIG)
        self.now = 1000.0
        self.rates = []

    def see(self, seconds, *people):
        for _ in range(round(seconds / PERIOD)):
            self.rates.append(self.rule.update(self.now, people).rate)
            self.now += PERIOD
        return self.rule.update(self.now, people)


@pytest.mark.parametrize(
    ("expression", "looks"),
    [
        ("angry", FRUSTRATED),
        ("disgusted", FRUSTRATED),
        ("sad", FRUSTRATED),
        ("surprised", CONFUSED),
        ("scared", CONFUSED),
        ("neutral", None),
        ("happy", None),
        (UNKNOWN, None),
    ],
)
def test_the_impression_of_every_expression(expression, looks):
    assert impression(person(expression)) == looks


def test_anger_without_negative_valence_is_no_frustration():
    assert impression(person("angry", valence=-0.1)) is None


def test_a_look_that_lasts_slows_the_speech_and_says_why():
    answer = Robot().see(2.0, person("angry"))
    assert answer == SpeechRate(0.8, "face1 has looked frustrated for 2.0 s")


@pytest.mark.parametrize("expression", ["angry", "surprised"])
def test_a_short_look_does_not(expression):
    robot = Robot()
    robot.see(1.75, person(expression))
    robot.see(10.0, person("neutral"))
    assert set(robot.rates) == {1.0}


def test_several_expressions_of_one_impression_last_together():
    robot = Robot()
    robot.see(1.0, person("angry"))
    robot.see(0.5, person("sad"))
    assert robot.see(0.5, person("disgusted")).rate == 0.8


def test_frustration_and_confusion_do_not_last_together():
    robot = Robot()
    robot.see(1.5, person("angry"))
    assert robot.see(1.5, person("surprised")).rate == 1.0


def test_how_long_the_emotion_was_held_counts():
    assert Robot().see(0.0, person("scared", held=2.0)) == SpeechRate(0.8, "face1 has looked confused for 2.0 s")


def test_one_of_several_is_enough_and_two_short_looks_are_not_one():
    robot = Robot()
    assert robot.see(1.5, person("happy"), person("sad", "face2")).rate == 1.0
    assert robot.see(1.5, person("sad"), person("happy", "face2")).rate == 1.0
    assert robot.see(0.5, person("sad"), person("happy", "face2")).rate == 0.8


def test_the_rate_recovers_after_a_while_also_when_nobody_is_left():
    for people in ([person("happy")], []):
        robot = Robot()
        robot.see(3.0, person("sad"))
        assert robot.see(2.5, *people).rate == 0.8
        assert robot.see(0.5, *people) == SpeechRate()


def test_the_reason_stays_that_of_the_change():
    robot = Robot()
    reason = robot.see(2.0, person("sad")).reason
    assert robot.see(2.0, person("angry")).reason == reason


def test_a_clock_that_jumped_back_does_not_keep_it_slow():
    robot = Robot()
    robot.see(3.0, person("sad"))
    robot.now -= 500.0
    assert robot.see(0.25) == SpeechRate()
    assert robot.see(1.75, person("sad")).rate == 1.0
    assert robot.see(0.25, person("sad")).rate == 0.8
