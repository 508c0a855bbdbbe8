"""The publishers of the topics that ROS4HRI has for each face."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher

from dfer_ros.core.errors import DferError
from dfer_ros.nodes.hri.topics import face_topic
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import OUTPUT

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks


@dataclass(eq=False)
class _Face:
    publishers: dict[str, Publisher]
    seen_at: float


class HriFacePublishers:
    """Publishers under /humans/faces/<id>: made once, when a face is first seen, and destroyed when it is gone.

    Not thread safe: see to it that one thread at a time calls.

    types: message type by the last part of the topic.
    lost_seconds: how long a face that is not seen is kept, by the node's clock, as the cameras of a robot need not have
    the same time; may be set at any time.
    """

    def __init__(self, node: Node, types: Mapping[str, Any], lost_seconds: float) -> None:
        self.lost_seconds = lost_seconds
        self._node = node
        self._types = types
        self._log = ThrottledLog(node.get_logger())
        self._faces: dict[str, _Face] = {}

    @property
    def face_ids(self) -> list[str]:
        """The ids of the faces that are not gone, oldest first."""
        return list(self._faces)

    def follow(self, now: float, face_ids: Iterable[str]) -> None:
        """Take in which faces were seen now, seconds of the node's clock."""
        for face_id in face_ids:
            self._see(face_id, now)
        # A clock that went back leaves faces of the future behind.
        gone = [one for one, face in self._faces.items() if abs(now - face.seen_at) > self.lost_seconds]
        for face_id in gone:
            self._forget(face_id)

    def publish(self, face_id: str, name: str, make: Callable[[], Any]) -> None:
        """Make and publish a message on a topic of a face that is followed, if somebody subscribes to it."""
        if self.is_heard(face_id, name):
            self._faces[face_id].publishers[name].publish(make())

    def is_heard(self, face_id: str, name: str) -> bool:
        """Return whether somebody subscribes to a topic of a face that is followed."""
        face = self._faces.get(face_id)
        return face is not None and face.publishers[name].get_subscription_count() > 0

    def clear(self) -> None:
        """Forget all faces."""
        for face_id in self.face_ids:
            self._forget(face_id)

    def _see(self, face_id: str, now: float) -> None:
        if face_id in self._faces:
            self._faces[face_id].seen_at = now
            return
        try:
            self._faces[face_id] = _Face({name: self._publisher(face_id, name) for name in self._types}, now)
        except DferError as error:
            self._log.error(error)

    def _publisher(self, face_id: str, name: str) -> Publisher:
        # Without event callbacks: the executor would stumble over those of a publisher that another thread destroys.
        silent = PublisherEventCallbacks(use_default_callbacks=False)
        topic = face_topic(face_id, name)
        return self._node.create_publisher(self._types[name], topic, OUTPUT, event_callbacks=silent)

    def _forget(self, face_id: str) -> None:
        for publisher in self._faces.pop(face_id).publishers.values():
            self._node.destroy_publisher(publisher)
