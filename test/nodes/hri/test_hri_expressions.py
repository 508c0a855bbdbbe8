"""HriExpressions on a plain node, heard as libhri hears it."""

import time

import numpy as np
import pytest
from hri_robot import Expression, header

from dfer_ros.core.emotion import PHASE_UNKNOWN, Emotion
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.nodes.hri.expressions import HriExpressions
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def expressions(robot):
    made = HriExpressions(robot["dfer"].node, lost_seconds=1.0)
    yield made
    robot["dfer"].call(made.close)


def emotion(face_id, expression, confidence=0.9):
    return Emotion(
        face_id=face_id,
        expression=expression,
        confidence=confidence,
        probabilities=np.full(7, 1 / 7, np.float32),
        valence=0.75,
        arousal=-0.5,
        intensity=0.5,
        phase=PHASE_UNKNOWN,
        window_seconds=1.0,
        window_frames=10,
    )


def topic(face_id):
    return f"/humans/faces/{face_id}/expression"


def test_every_expression_is_a_word_of_rep_155():
    assert [getattr(Expression, word.upper()) for word in EXPRESSIONS] == list(EXPRESSIONS)
    assert not hasattr(Expression, UNKNOWN.upper())


def test_an_expression_is_published_with_the_header_of_its_image(robot, expressions):
    heard = robot["listener"].hear(Expression, topic("anna"))
    assert wait_until(lambda: expressions.publish(header(100.0), 100.0, [emotion("anna", "happy")]) or heard)
    message = heard[-1]
    assert message.header == header(100.0)
    assert message.expression == Expression.HAPPY
    assert (message.valence, message.arousal) == (0.75, -0.5)
    assert message.confidence == pytest.approx(0.9)


def test_nothing_is_published_for_whom_is_unknown(robot, expressions):
    heard = {name: robot["listener"].hear(Expression, topic(name)) for name in ("ben", "carla")}
    faces = [emotion("ben", UNKNOWN), emotion("carla", "sad")]
    for index in range(200):
        expressions.publish(header(100.0 + index / 100), 100.0 + index / 100, faces)
        if len(heard["carla"]) >= 5:
            break
        time.sleep(0.02)
    assert len(heard["carla"]) >= 5
    assert not heard["ben"]
    # The publisher is there already: what follows is heard from the first.
    assert len(robot["listener"].publishers(topic("ben"))) == 1


def test_a_face_has_one_publisher_until_it_is_gone(robot, expressions):
    listener = robot["listener"]
    for index in range(10):
        expressions.publish(header(100.0 + index / 30), 100.0 + index / 30, [emotion("dora", "neutral")])
    assert wait_until(lambda: len(listener.publishers(topic("dora"))) == 1)
    (first,) = listener.publishers(topic("dora"))
    expressions.publish(header(101.0), 101.0, [])
    expressions.publish(header(101.1), 101.1, [emotion("dora", "neutral")])
    assert listener.publishers(topic("dora")) == [first]
    expressions.publish(header(102.5), 102.5, [])
    assert wait_until(lambda: not listener.publishers(topic("dora")))


def test_closing_leaves_no_publisher(robot, expressions):
    expressions.publish(header(100.0), 100.0, [emotion("emil", "angry"), emotion("fay", UNKNOWN)])
    listener = robot["listener"]
    assert wait_until(lambda: listener.publishers(topic("emil")) and listener.publishers(topic("fay")))
    robot["dfer"].call(expressions.close)
    assert wait_until(lambda: not (listener.publishers(topic("emil")) or listener.publishers(topic("fay"))))


def test_an_id_that_no_topic_can_have_does_not_keep_the_others_from_being_published(robot, expressions):
    heard = robot["listener"].hear(Expression, topic("gina"))
    both = [emotion("no topic", "happy"), emotion("gina", "happy")]
    assert wait_until(lambda: expressions.publish(header(100.0), 100.0, both) or heard)


def test_nobody_has_an_expression_once_nothing_comes_any_more(robot, expressions):
    listener = robot["listener"]
    expressions.publish(header(100.0), 100.0, [emotion("hugo", "happy")])
    assert wait_until(lambda: listener.publishers(topic("hugo")))
    assert wait_until(lambda: not listener.publishers(topic("hugo")))
