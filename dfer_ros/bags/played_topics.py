"""The publishers of a bag that is played, and those who listen to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher

from dfer_ros.bags.quality_of_service import publisher_profile
from dfer_ros.bags.selection import Selection
from dfer_ros.bags.types import IMAGE_TYPES, message_class
from dfer_ros.core.errors import SourceError
from dfer_ros.ros.topics import is_topic

CLOCK_TOPIC = "/clock"
_ARROW = ":="


@dataclass(frozen=True)
class PlayedTopics:
    """publishers: by the id of the connection in the bag. remarks: a sentence for each topic that is not played so."""

    publishers: Mapping[int, Publisher]
    remarks: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The names in the graph."""
        return sorted({publisher.topic_name for publisher in self.publishers.values()})

    def listeners(self) -> int:
        """Return how many listen to the image topics, or to all where there is none."""
        return sum(publisher.get_subscription_count() for publisher in self._awaited())

    def awaited_names(self) -> list[str]:
        """Return the topics whose listeners() are counted."""
        return sorted({publisher.topic_name for publisher in self._awaited()})

    def _awaited(self) -> list[Publisher]:
        every = list(self.publishers.values())
        return [publisher for publisher in every if _type_name(publisher.msg_type) in IMAGE_TYPES] or every


def parse_remaps(remaps: Sequence[str]) -> dict[str, str]:
    """Return new names by old ones, these without their slash, for texts of the form OLD:=NEW.

    Raises SourceError where one has another form.
    """
    parsed = {}
    for remap in remaps:
        old, arrow, new = remap.partition(_ARROW)
        if not (old and arrow and new):
            raise SourceError(f"--remap takes OLD{_ARROW}NEW, such as /camera/image_raw{_ARROW}/image, not '{remap}'.")
        parsed[old.lstrip("/")] = "/" + new.lstrip("/")
    return parsed


def create_publishers(node: Node, selection: Selection, remaps: Mapping[str, str], own_clock: bool) -> PlayedTopics:
    """Return a publisher for each topic whose type is installed, with the quality of service that the bag tells of.

    own_clock: leaves a /clock of the bag out, as two of them would contradict each other.
    Raises SourceError where none is left, where a remap names a topic that is not played, or no valid one.
    """
    connections: dict[tuple[str, str], list[Any]] = {}
    for connection in selection.connections:
        connections.setdefault((connection.topic, connection.msgtype), []).append(connection)
    unknown = sorted(remaps.keys() - {topic.lstrip("/") for topic, _ in connections})
    if unknown:
        names = ", ".join(sorted({topic for topic, _ in connections}))
        raise SourceError(f"--remap names /{unknown[0]}, which is not played; the topics are: {names}.")
    publishers, remarks = {}, []
    for (topic, message_type), same in connections.items():
        kind = message_class(message_type)
        if own_clock and topic == CLOCK_TOPIC:
            remarks.append("The bag's own /clock is left out; --clock 0 plays it instead of ours.")
        elif kind is None:
            package = message_type.partition("/")[0]
            remarks.append(f"{topic} is left out: its type {message_type} is not installed here (package {package}).")
        else:
            publisher = _create_publisher(node, remaps.get(topic.lstrip("/"), topic), kind, same)
            publishers.update({connection.id: publisher for connection in same})
    if not publishers:
        raise SourceError(f"Nothing of the bag {selection.path} can be played. {' '.join(remarks)}")
    return PlayedTopics(publishers, tuple(remarks))


def rivals(node: Node, names: Sequence[str]) -> list[str]:
    """Return a sentence for each topic that somebody else publishes as well."""
    sentences = []
    for name in names:
        others = {
            f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in node.get_publishers_info_by_topic(name)
        }
        others.discard(node.get_fully_qualified_name())
        if others:
            who = ", ".join(sorted(others))
            sentences.append(f"{name} is published by {who} as well: choose what to play with --topics, or --remap it.")
    return sentences


def _create_publisher(node: Node, name: str, kind: Any, connections: Sequence[Any]) -> Publisher:
    profiles = [profile for connection in connections for profile in connection.ext.offered_qos_profiles]
    if not is_topic(name):
        raise SourceError(f"{name} is no valid name of a topic: letters, digits, _ and / only.")
    return node.create_publisher(kind, name, publisher_profile(profiles))


def _type_name(kind: Any) -> str:
    package, _, _ = kind.__module__.partition(".")
    return f"{package}/msg/{kind.__name__}"
