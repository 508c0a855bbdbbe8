"""The one list of all faces that a robot tracks, in /humans/faces/tracked."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Header

from dfer_ros.core.errors import DferError
from dfer_ros.nodes.hri.topics import TRACKED, face_topic, hri_messages
from dfer_ros.ros.topics import OUTPUT

_ARRIVAL_SECONDS = 1.0
_MEMORY_SECONDS = 1.0
"""For how long the list of a detector that fell silent counts."""


class HriTrackedFaces:
    """Publishes the ids of our faces, and of the faces of all other detectors that list theirs.

    To REP-155 and to libhri the newest list is the whole truth, whoever published it. If the detector of every camera
    listed its own faces only, each list would tell the listeners that the faces of the other cameras are gone.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._type = hri_messages().IdsList
        self._lock = threading.Lock()
        # What comes back of one's own lists is no news: as many as can wait in the queue of the subscription.
        self._own: deque[Any] = deque(maxlen=OUTPUT.depth)
        self._heard: dict[str, tuple[float, list[str]]] = {}
        self._publisher = node.create_publisher(self._type, TRACKED, OUTPUT)
        self._subscription = node.create_subscription(self._type, TRACKED, self._hear, OUTPUT)

    def publish(self, header: Header, face_ids: Sequence[str]) -> None:
        """Publish the list with our faces in an image of this header."""
        message = self._type(header=header, ids=[*face_ids, *self._others(face_ids)])
        with self._lock:
            self._own.appendleft(message)
        self._publisher.publish(message)

    def close(self) -> None:
        """Stop listing and listening, once the last list has arrived: a publisher that is destroyed takes it along."""
        if self._own:
            self._publisher.wait_for_all_acked(Duration(seconds=_ARRIVAL_SECONDS))
            self._own.clear()
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_publisher(self._publisher)

    def _hear(self, message: Any) -> None:
        with self._lock:
            if message not in self._own:
                self._heard[message.header.frame_id] = time.monotonic(), list(message.ids)

    def _others(self, face_ids: Sequence[str]) -> list[str]:
        oldest = time.monotonic() - _MEMORY_SECONDS
        with self._lock:
            self._heard = {frame: heard for frame, heard in self._heard.items() if heard[0] > oldest}
            listed = {face_id: None for _, ids in self._heard.values() for face_id in ids}
        return [face_id for face_id in listed if face_id not in face_ids and self._is_published(face_id)]

    def _is_published(self, face_id: str) -> bool:
        """Whether somebody still publishes a face: others may repeat what they heard of one that is gone."""
        try:
            return bool(self._node.count_publishers(face_topic(face_id, "roi")))
        except DferError:
            return False
