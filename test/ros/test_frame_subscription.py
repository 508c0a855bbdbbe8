"""Frames that arrive in a thread of their own, over real DDS."""

import contextlib
import subprocess
import sys
import threading

from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import ReliabilityPolicy
from std_msgs.msg import String

from dfer_ros.ros.frame_subscription import FrameSubscription
from dfer_ros.ros.topics import OUTPUT, latest_only
from dfer_ros.ros.waiting import wait_until

LEFT_OPEN = """
import sys, threading, rclpy
from std_msgs.msg import String
from dfer_ros.ros.frame_subscription import FrameSubscription
from dfer_ros.ros.topics import OUTPUT

rclpy.init()
node = rclpy.create_node("left_open")
publisher = node.create_publisher(String, "words", OUTPUT)
heard = threading.Event()
subscription = FrameSubscription(node, String, "words", lambda message: heard.set(), OUTPUT)
while not heard.wait(0.05):
    publisher.publish(String())
rclpy.try_shutdown()
sys.exit(3)
"""


@contextlib.contextmanager
def listening(node, receive, quality=None):
    subscription = FrameSubscription(node, String, "words", receive, quality or latest_only())
    try:
        yield subscription
    finally:
        subscription.close()


def speaker(node, quality=OUTPUT):
    publisher = node.create_publisher(String, "words", quality)
    return publisher, lambda: publisher.publish(String(data="hello"))


def test_messages_arrive_though_nobody_spins_and_none_after_the_end(node):
    heard = []
    publisher, say = speaker(node)
    with listening(node, heard.append):
        assert wait_until(lambda: len(heard) >= 3, pass_time=say)
        assert heard[0] == String(data="hello")
    assert wait_until(lambda: publisher.get_subscription_count() == 0)
    count = len(heard)
    say()
    assert len(heard) == count
    assert not [thread for thread in threading.enumerate() if "words" in thread.name]


def test_no_message_takes_a_turn_of_the_executor(node):
    heard = []
    _, say = speaker(node)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    turn = threading.Thread(target=lambda: executor.spin_once(timeout_sec=60.0))
    with listening(node, heard.append):
        turn.start()
        assert wait_until(lambda: len(heard) >= 20, pass_time=say)
        assert turn.is_alive()
    executor.create_task(lambda: None)
    turn.join()
    executor.remove_node(node)


def test_a_publisher_that_cannot_be_heard_is_named(node, capfd):
    speaker(node, latest_only(ReliabilityPolicy.BEST_EFFORT))
    said = []

    def is_named():
        said.append(capfd.readouterr().err)
        return "incompatible QoS" in "".join(said)

    with listening(node, lambda message: None, latest_only(ReliabilityPolicy.RELIABLE)):
        assert wait_until(is_named)


def test_one_that_is_closed_twice_is_closed(node):
    with listening(node, lambda message: None) as subscription:
        subscription.close()


def test_one_that_is_left_open_lets_its_process_end_as_it_would():
    ended = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (3, "")
