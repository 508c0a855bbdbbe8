"""When the images of a camera are listened to, over real DDS: nodes/test_graph.py has what is heard."""

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from dfer_ros.ros import image_subscription
from dfer_ros.ros.image_subscription import ImageConfig, ImageSubscription
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def look(node):
    """Return what waits, while the node looks for its camera, until it is listened to with these reliabilities."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    topic = node.resolve_topic_name("image")

    def found():
        return [info.qos_profile.reliability for info in node.get_subscriptions_info_by_topic(topic)]

    def wait_for(reliabilities, seconds=30.0):
        return wait_until(lambda: found() == reliabilities, seconds, lambda: executor.spin_once(timeout_sec=0.05))

    yield wait_for
    executor.shutdown()


def camera(node, reliability):
    publisher = node.create_publisher(Image, "image", QoSProfile(depth=1, reliability=reliability))
    assert wait_until(lambda: node.count_publishers(publisher.topic_name) > 0)
    return publisher


@pytest.mark.parametrize("reliability", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_a_camera_that_is_there_is_listened_to_at_once_as_it_sends(node, look, reliability, monkeypatch):
    monkeypatch.setattr(image_subscription, "_CAMERA_PERIODS", 10**6)
    camera(node, reliability)
    subscription = ImageSubscription(node, ImageConfig(), lambda _: None)
    assert look([reliability])
    subscription.close()


def test_where_no_camera_is_there_the_topic_is_in_the_graph_after_a_while(node, look):
    subscription = ImageSubscription(node, ImageConfig(), lambda _: None)
    assert look([ReliabilityPolicy.BEST_EFFORT])
    subscription.close()


def test_who_has_just_left_a_camera_waits_before_it_is_listened_to_again(node, look, monkeypatch):
    """Images that still come to the first subscription would spoil the second one."""
    camera(node, ReliabilityPolicy.RELIABLE)
    ImageSubscription(node, ImageConfig(), lambda _: None).close()
    monkeypatch.setattr(image_subscription, "_PAUSE_SECONDS", 3600.0)
    subscription = ImageSubscription(node, ImageConfig(), lambda _: None)
    assert look([])
    assert not look([ReliabilityPolicy.RELIABLE], seconds=1.0)
    monkeypatch.setattr(image_subscription, "_PAUSE_SECONDS", 0.0)
    assert look([ReliabilityPolicy.RELIABLE])
    subscription.close()
