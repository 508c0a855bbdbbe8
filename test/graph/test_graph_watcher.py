"""What `dfer watch` hears of real graphs."""

import contextlib
import os
import time

from made_graphs import an_emotion, drawn
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Image

from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.ros.diagnostics import Diagnostics, NodeCondition
from dfer_ros.ros.waiting import PATIENCE_SECONDS
from dfer_ros.streams.health import HealthLimits
from dfer_ros.streams.statistics import DropReason, StreamStatistics


@contextlib.contextmanager
def watching(*topics):
    with GraphWatcher() as watcher:
        watcher.follow_emotions(topics)
        yield watcher


def listen_until(watcher, condition):
    """Return the graph when it is as expected."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition(graph := watcher.graph()):
        assert time.monotonic() < deadline, graph
        time.sleep(0.2)
    return graph


def names(graph):
    return [topic.name for topic in graph.topics if topic.statistics.received]


def test_topics_are_followed_as_they_come_and_go(robot):
    robot.publish("/front/emotions", [an_emotion()], ReliabilityPolicy.BEST_EFFORT)
    with watching() as watcher:
        listen_until(watcher, lambda graph: names(graph) == ["/front/emotions"])
        robot.publish("/back/emotions", [])
        graph = listen_until(watcher, lambda graph: names(graph) == ["/back/emotions", "/front/emotions"])
        assert [len(topic.persons) for topic in graph.topics] == [0, 1]
        robot.stop("/back/emotions")
        listen_until(watcher, lambda graph: names(graph) == ["/front/emotions"])


def test_only_the_chosen_topics_are_heard(robot):
    for topic in ("/front/emotions", "/back/emotions"):
        robot.publish(topic, [an_emotion()])
    with watching("front/emotions") as watcher:
        graph = listen_until(watcher, lambda graph: graph.heard and graph.topics[0].publishers)
    assert [(topic.name, topic.publishers) for topic in graph.topics] == [("/front/emotions", 1)]


def test_the_diagnostics_of_the_nodes_are_understood(robot):
    statistics = StreamStatistics()
    diagnostics = Diagnostics(
        robot.node, {"image": statistics}, lambda: NodeCondition({"lifecycle state": "active"}), HealthLimits(), "it"
    )

    def told(graph):
        statistics.received(time.monotonic())
        statistics.dropped(DropReason.FAILED)
        return any(line.startswith("/robot: image") and line.endswith("100.0 %") for line in drawn(graph))

    with watching() as watcher:
        graph = listen_until(watcher, told)
    diagnostics.close()
    assert any(line.startswith("/robot: image: dropped in 5 s: failed ") for line in drawn(graph))


def test_why_nothing_was_heard_is_known(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    image = robot.node.create_publisher(Image, "/camera", 1)
    with watching("/camera", "/dfer/emotions") as watcher:
        listen_until(watcher, lambda graph: "/camera is sensor_msgs" in watcher.why_nothing() and graph.heard)
        why = watcher.why_nothing()
    robot.node.destroy_publisher(image)
    assert why == "/camera is sensor_msgs/msg/Image, not dfer_msgs/msg/EmotionArray. Emotions are on /dfer/emotions."
    with watching("/nobody/emotions") as watcher:
        listen_until(watcher, lambda _: "Emotions are on /dfer/emotions." in watcher.why_nothing())
        assert watcher.why_nothing().startswith(
            f"nobody publishes it in this ROS_DOMAIN_ID ({os.environ['ROS_DOMAIN_ID']})."
        )
