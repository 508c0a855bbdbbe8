"""The one watcher of a running graph: hears topics beside a command, and follows the emotions as they come and go."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from dfer_msgs.msg import EmotionArray
from dfer_ros.core.errors import DferError
from dfer_ros.graph.watched_graph import GraphMemory, WatchedGraph
from dfer_ros.ros.messages import header_seconds
from dfer_ros.ros.spinning_thread import SpinningThread
from dfer_ros.ros.starting import interruption_waits, start_node
from dfer_ros.ros.topics import OUTPUT, full_topic
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

EMOTIONS = "dfer_msgs/msg/EmotionArray"
_SEARCH_SECONDS = 0.5
_SETTLE_SECONDS = 1.0
# Best effort hears every publisher, and no publisher ever waits for who only watches.
_BEST_EFFORT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class GraphWatcher:
    """A node beside the graph that takes messages in, in a thread of its own, until the `with` ends.

    namespace: of relative names of topics. node: for what else is to be heard. Raises DferError where ROS cannot start.
    """

    def __init__(self, namespace: str = "/", use_sim_time: bool = False) -> None:
        self._chosen: list[str] = []
        self._lock = threading.Lock()
        self._memory = GraphMemory()
        self._subscriptions: dict[str, Subscription] = {}
        overrides = [Parameter("use_sim_time", value=use_sim_time)]
        with contextlib.ExitStack() as begun:
            with interruption_waits():
                self.node = start_node("dfer_watch", namespace=namespace, parameter_overrides=overrides)
                begun.callback(rclpy.shutdown)
                begun.callback(self.node.destroy_node)
                begun.callback(SpinningThread(self.node).close)
            # A Ctrl-C that came meanwhile has ended it all by now.
            self._begun = begun.pop_all()

    def __enter__(self) -> GraphWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._begun.close()

    def hear(self, kind: type, topic: str, take: Callable[[Any], object]) -> None:
        """Call take, from the watcher's thread, with every message of a topic of this package's nodes."""
        self.node.create_subscription(kind, topic, take, OUTPUT)

    def wait_until_heard(self, topics: Mapping[str, int], check: Callable[[], object]) -> None:
        """Return when every topic has so many subscribers; call check meanwhile, which may raise.

        Raises DferError where that takes too long.
        """

        def heard() -> bool:
            check()
            return all(self._subscribers(topic) >= count for topic, count in topics.items())

        if not wait_until(heard):
            raise DferError(f"The nodes did not find each other in {PATIENCE_SECONDS:.0f} s: is DDS blocked here?")
        # That this process has found them does not mean yet that they have found each other.
        time.sleep(_SETTLE_SECONDS)

    def follow_emotions(self, topics: Sequence[str] = ()) -> None:
        """Keep from now on what graph() returns: the answers on some topics, and the diagnostics of our nodes.

        topics: none: all of type dfer_msgs/msg/EmotionArray, as they come and go. Raises DferError for a name that is
        none.
        """
        self._chosen = [full_topic("--topic", topic) for topic in topics]
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, _BEST_EFFORT)
        self._search_topics()
        # The time of a simulation may stand still; topics come and go all the same.
        self.node.create_timer(_SEARCH_SECONDS, self._search_topics, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def graph(self) -> WatchedGraph:
        """Return how things stand with the emotions that are followed."""
        with self._lock:
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
            others = sorted(set(self._topic_types().get(topic, ())) - {EMOTIONS})
            if others and topic not in published:
                return f"{topic} is {' and '.join(others)}, not {EMOTIONS}.{_instead(published)}"
        if any(topic in published for topic in self._chosen):
            return "it is published, but no answer came: is the camera running? 'dfer watch' shows its diagnostics."
        return f"nobody publishes it in this ROS_DOMAIN_ID ({domain}).{_instead(published)}"

    def _search_topics(self) -> None:
        """Hear the topics of emotions that have come, and leave those that are gone."""
        published = self._published()
        for topic in {*self._chosen, *([] if self._chosen else published)} - self._subscriptions.keys():
            self._subscribe(topic)
        with self._lock:
            for topic in list(self._subscriptions):
                self._memory.expect(topic, published.get(topic, 0))
            if not self._chosen:
                self._leave_the_gone(published)

    def _leave_the_gone(self, published: dict[str, int]) -> None:
        for topic in self._memory.graph(time.monotonic()).topics:
            if topic.name not in published and not topic.persons:
                self.node.destroy_subscription(self._subscriptions.pop(topic.name))
                self._memory.forget(topic.name)

    def _subscribe(self, topic: str) -> None:
        def take(message: EmotionArray) -> None:
            now = self.node.get_clock().now().nanoseconds * 1e-9
            latency = now - (header_seconds(message.header) or now)
            with self._lock:
                self._memory.take_emotions(topic, message, latency, time.monotonic())

        self._subscriptions[topic] = self.node.create_subscription(EmotionArray, topic, take, _BEST_EFFORT)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        with self._lock:
            self._memory.take_diagnostics(message, time.monotonic())

    def _subscribers(self, topic: str) -> int:
        count: int = self.node.count_subscribers(self.node.resolve_topic_name(topic))
        return count

    def _topic_types(self) -> dict[str, list[str]]:
        return dict(self.node.get_topic_names_and_types())

    def _published(self) -> dict[str, int]:
        """Return how many publish each topic of emotions; our own subscriptions keep a name in the graph as well."""
        counts = {}
        for topic, types in self._topic_types().items():
            if EMOTIONS in types:
                infos = self.node.get_publishers_info_by_topic(topic)
                counts[topic] = sum(info.topic_type == EMOTIONS for info in infos)
        return {topic: count for topic, count in counts.items() if count}


def _instead(published: dict[str, int]) -> str:
    return f" Emotions are on {' and '.join(sorted(published))}." if published else ""
