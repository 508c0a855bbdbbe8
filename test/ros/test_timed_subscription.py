"""Messages that come with their times, over real DDS."""

import time

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from dfer_ros.ros import timed_subscription
from dfer_ros.ros.timed_subscription import create_timed_subscription
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def executor(node):
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    yield executor
    executor.shutdown()


def first_of(node, executor, raw=False):
    """Return what comes with the first message of a topic."""
    heard = []
    create_timed_subscription(node, String, "words", lambda *came: heard.append(came), OUTPUT, raw)
    publisher = node.create_publisher(String, "words", OUTPUT)
    assert wait_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data="hello"))
    time.sleep(0.2)  # nobody takes it yet
    assert wait_until(lambda: heard, pass_time=lambda: executor.spin_once(timeout_sec=0.1))
    return heard[0]


def test_a_message_tells_when_it_was_published_and_came_however_late_it_is_taken(node, executor):
    before = time.time_ns()
    message, published, received = first_of(node, executor)
    assert message == String(data="hello")
    assert before <= published <= received <= time.time_ns() - 100_000_000


def test_raw_messages_tell_it_too(node, executor):
    data, published, received = first_of(node, executor, raw=True)
    assert deserialize_message(data, String) == String(data="hello")
    assert 0 < published <= received


def test_where_rclpy_tells_nothing_the_message_comes_without_times(node, executor, monkeypatch):
    # rclpy of Humble calls with the message alone.
    monkeypatch.setattr(timed_subscription, "_RCLPY_TELLS", False)
    assert first_of(node, executor) == (String(data="hello"), 0, 0)
