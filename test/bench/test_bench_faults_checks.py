"""What the checks of `dfer bench faults` say of answers that were late."""

import time

import pytest
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.faults.check import bounded_latency
from dfer_ros.bench.load import Load
from dfer_ros.bench.running_graph import Answer

PUBLISHED, ARRIVED = 0.015, 0.016


def checked(*answers):
    return bounded_latency(Load(CameraSetting(), 1.0, [answer.stamp for answer in answers], answers), 200.0)


def an_answer(second, late=0.0, taken_late=0.0):
    """Return the answer to an image of a second, late in the nodes, or taken late by the bench."""
    ages = (PUBLISHED + late, ARRIVED + late, ARRIVED + late + taken_late)
    return Answer(second * 10**9, 1, *(second + age for age in ages))


def test_an_answer_that_the_bench_takes_late_is_not_old():
    answer = an_answer(1, taken_late=0.3)
    assert answer.age == pytest.approx(ARRIVED)
    assert answer.latency == pytest.approx(ARRIVED + 0.3)
    check = checked(answer, an_answer(2))
    assert check.passed
    assert check.measured == "median 16, p99 16, oldest 16 ms, published after 15; in Python after at most 316"


def test_an_answer_that_the_nodes_hold_up_is_old_and_its_way_is_told():
    check = checked(an_answer(1), an_answer(2), an_answer(3, late=0.2))
    assert not check.passed
    assert check.measured.endswith("oldest 216 ms, published after 215; in Python after at most 216")


def test_no_answer_at_all_fails():
    check = checked()
    assert not check.passed
    assert check.measured == "median inf, p99 inf, oldest inf ms"


def test_an_answer_takes_its_times_from_the_middleware():
    message = EmotionArray(header=Header(stamp=Time(sec=10)), emotions=[Emotion()])
    before = time.time()
    answer = Answer.of(message, 10_015_000_000, 10_016_000_000)
    assert (answer.stamp, answer.faces) == (10 * 10**9, 1)
    assert (answer.published, answer.arrived) == (pytest.approx(10.015), pytest.approx(10.016))
    assert before <= answer.taken <= time.time()


def test_without_times_an_answer_came_when_python_took_it():
    answer = Answer.of(EmotionArray(), 0, 0)
    assert answer.arrived == answer.taken
    assert checked(answer).measured.endswith(
        f"{1e3 * answer.taken:.0f} ms; in Python after at most {1e3 * answer.taken:.0f}"
    )
