"""Listens to every topic of emotions in the graph, as they come and go, and to /diagnostics."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from dfer_msgs.msg import EmotionArray
from dfer_ros.graph.watched_graph import GraphMemory, WatchedGraph
from dfer_ros.ros.graph_names import full_topic
from dfer_ros.ros.stamp import header_seconds
from dfer_ros.ros.starting import start_node

EMOTIONS = "dfer_msgs/msg/EmotionArray"
_LOOK_SECONDS = 0.5
# Best effort hears every publisher, and no publisher ever waits for who only watches.
_QUALITY = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class GraphWatcher:
    """Hears the graph while listen() runs; nothing happens in other threads.

    topics: those to hear; none: all of type dfer_msgs/msg/EmotionArray. Raises DferError for a name that is none.
    """

    def __init__(self, topics: Sequence[str], use_sim_time: bool = False) -> None:
        self._chosen = [full_topic("--topic", topic) for topic in topics]
        overrides = [Parameter("use_sim_time", value=use_sim_time)]
        self._node = start_node("dfer_watch", parameter_overrides=overrides)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._memory = GraphMemory()
        self._subscriptions: dict[str, Subscription] = {}
        self._looked = float("-inf")
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, _QUALITY)

    def __enter__(self) -> GraphWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown()

    def listen(self, seconds: float) -> WatchedGraph:
        """Hear the graph for so long and return how things stand."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if now - self._looked > _LOOK_SECONDS:
                self._looked = now
                self._look(now)
            self._executor.spin_once(timeout_sec=max(0.0, min(end - now, _LOOK_SECONDS)))
        return self._memory.graph(time.monotonic())

    def why_nothing(self) -> str:
        """Return the likely reason why nothing was heard, and what to do, in a sentence."""
        published = self._published()
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        if not self._chosen:
            silent = ", ".join(sorted(published))
            if silent:
                return f"{silent} is published, but no answer came: is the camera running? 'dfer watch' shows it live."
            return f"nobody publishes {EMOTIONS}: does the graph run, and in this ROS_DOMAIN_ID ({domain})?"
        for topic in self._chosen:
            others = sorted(set(self._types().get(topic, ())) - {EMOTIONS})
            if others and topic not in published:
                return f"{topic} is {' and '.join(others)}, not {EMOTIONS}.{_instead(published)}"
        if any(topic in published for topic in self._chosen):
            return "it is published, but no answer came: is the camera running? 'dfer watch' shows its diagnostics."
        return f"nobody publishes it in this ROS_DOMAIN_ID ({domain}).{_instead(published)}"

    def _look(self, now: float) -> None:
        """Follow the topics that have come or gone."""
        published = self._published()
        for topic in {*self._chosen, *([] if self._chosen else published)} - self._subscriptions.keys():
            self._subscribe(topic)
        for topic in list(self._subscriptions):
            self._memory.expect(topic, published.get(topic, 0))
        if not self._chosen:
            self._leave_the_gone(published, now)

    def _leave_the_gone(self, published: dict[str, int], now: float) -> None:
        for topic in self._memory.graph(now).topics:
            if topic.name not in published and not topic.persons:
                self._node.destroy_subscription(self._subscriptions.pop(topic.name))
                self._memory.forget(topic.name)

    def _subscribe(self, topic: str) -> None:
        def take(message: EmotionArray) -> None:
            clock = self._node.get_clock()
            now = clock.now().nanoseconds * 1e-9
            latency = now - (header_seconds(message.header) or now)
            self._memory.take_emotions(topic, message, latency, time.monotonic())

        self._subscriptions[topic] = self._node.create_subscription(EmotionArray, topic, take, _QUALITY)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self._memory.take_diagnostics(message, time.monotonic())

    def _types(self) -> dict[str, list[str]]:
        return dict(self._node.get_topic_names_and_types())

    def _published(self) -> dict[str, int]:
        """Return how many publish each topic of emotions; our own subscriptions keep a name in the graph as well."""
        counts = {}
        for topic, types in self._types().items():
            if EMOTIONS in types:
                infos = self._node.get_publishers_info_by_topic(topic)
                counts[topic] = sum(info.topic_type == EMOTIONS for info in infos)
        return {topic: count for topic, count in counts.items() if count}


def _instead(published: dict[str, int]) -> str:
    return f" Emotions are on {' and '.join(sorted(published))}." if published else ""
