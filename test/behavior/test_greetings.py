"""Whom a robot greets."""

from dfer_ros.behavior.examples.greetings import Greetings, GreetingsConfig


def greetings(again_seconds=120.0):
    return Greetings(GreetingsConfig(again_seconds=again_seconds))


def test_a_person_is_greeted_once_within_a_while():
    robot = greetings()
    assert robot.is_due("face1", 10.0)
    assert not robot.is_due("face1", 11.0)
    assert not robot.is_due("face1", 129.0)
    assert robot.is_due("face1", 131.0)


def test_everybody_is_greeted():
    robot = greetings()
    assert robot.is_due("face1", 10.0)
    assert robot.is_due("face2", 10.5)


def test_who_left_and_comes_back_under_another_id_is_not_greeted_again():
    robot = greetings()
    robot.is_due("face1", 10.0)
    robot.leave("face1")
    assert not robot.is_due("face2", 20.0)
    assert robot.is_due("face3", 21.0), "only one had left"


def test_who_comes_back_is_greeted_when_the_while_since_the_greeting_is_over():
    robot = greetings()
    robot.is_due("face1", 10.0)
    robot.leave("face1")
    robot.is_due("face2", 100.0)
    robot.leave("face2")
    assert robot.is_due("face3", 131.0)


def test_who_left_without_a_greeting_takes_none_away():
    robot = greetings()
    robot.leave("face1")
    assert robot.is_due("face2", 10.0)


def test_a_clock_that_jumped_back_does_not_silence_the_robot():
    robot = greetings()
    robot.is_due("face1", 1000.0)
    robot.is_due("face2", 1000.0)
    robot.leave("face2")
    assert robot.is_due("face1", 10.0)
    assert robot.is_due("face3", 10.0)
