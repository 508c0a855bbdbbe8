"""Listens to topics of the running graph and writes their messages, as they come over the wire, into a bag."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.node import Node

from dfer_ros.bags.message_definitions import define_type
from dfer_ros.bags.quality_of_service import recorded_profile, subscription_profile
from dfer_ros.bags.types import message_class
from dfer_ros.bags.writer import BagWriter
from dfer_ros.core.errors import SourceError
from dfer_ros.ros.timed_subscription import create_timed_subscription

_HASH_UNKNOWN = "INVALID"
"""How rclpy writes the hash of a publisher that tells none."""


@dataclass
class RecordedTopic:
    """A topic that is recorded, and how many messages of it came."""

    name: str
    messages: int = 0


class BagRecorder:
    """Records topics from the moment at which somebody publishes them.

    node: its time is that of reception where it follows /clock; else that of the middleware counts.
    say: called with a sentence for each topic that cannot be recorded.
    awaited: topics that nobody publishes yet. untimed: messages that came before the first /clock and were left out.
    """

    def __init__(self, node: Node, writer: BagWriter, topics: Sequence[str], say: Callable[[str], None]) -> None:
        self._node = node
        self._writer = writer
        self._say = say
        self._follows_clock = bool(node.get_parameter("use_sim_time").value)
        self.topics = {name: RecordedTopic(name) for name in topics}
        self.awaited = list(topics)
        self.untimed = 0

    def look(self) -> None:
        """Subscribe to topics that somebody publishes by now."""
        for name in list(self.awaited):
            try:
                if self._subscribe(name):
                    self.awaited.remove(name)
            except SourceError as error:
                self.awaited.remove(name)
                self._say(f"{name} is not recorded: {error}")

    def _subscribe(self, name: str) -> bool:
        """Return whether somebody publishes a topic, and record it from now on."""
        publishers = self._node.get_publishers_info_by_topic(name)
        if not publishers:
            return False
        types = sorted({info.topic_type for info in publishers})
        if len(types) > 1:
            raise SourceError(f"it is published with several types, {' and '.join(types)}.")
        kind = message_class(types[0])
        if kind is None:
            raise SourceError(f"its type {types[0]} is not installed here.")
        definition = define_type(types[0], _type_hash(publishers[0]))
        profiles = [info.qos_profile for info in publishers]
        topic = self._writer.add_topic(name, types[0], definition, [recorded_profile(one) for one in profiles])
        receive = partial(self._receive, topic, self.topics[name])
        create_timed_subscription(self._node, kind, name, receive, subscription_profile(profiles), raw=True)
        return True

    def _receive(self, topic: Any, recorded: RecordedTopic, data: bytes, _published: int, received: int) -> None:
        if self._follows_clock:
            received = self._node.get_clock().now().nanoseconds
            if not received:
                self.untimed += 1
                return
        self._writer.write(topic, received or time.time_ns(), data)
        recorded.messages += 1


def _type_hash(publisher: Any) -> str:
    """Return the RIHS01 hash that a publisher tells; Humble knows none."""
    told = str(getattr(publisher, "topic_type_hash", ""))
    return "" if told.startswith(_HASH_UNKNOWN) else told
