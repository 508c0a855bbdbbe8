"""Listens to a running graph from a thread beside a command."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from dfer_msgs.msg import EmotionArray, FaceArray
from dfer_ros.core.errors import DferError
from dfer_ros.ros.quality_of_service import OUTPUT
from dfer_ros.ros.starting import start_node

_PATIENCE_SECONDS, _SETTLE_SECONDS, _POLL_SECONDS = 60.0, 1.0, 0.05


class GraphListener:
    """Calls back, from its own thread, with every message of `emotions` and, where asked for, `faces` and `overlay`."""

    def __init__(
        self,
        namespace: str,
        on_faces: Callable[[FaceArray], None] | None,
        on_emotions: Callable[[EmotionArray], None],
        on_overlay: Callable[[Image], None] | None = None,
    ) -> None:
        self.node = start_node("dfer_listener", namespace=namespace)
        if on_faces is not None:
            self.node.create_subscription(FaceArray, "faces", on_faces, OUTPUT)
        self.node.create_subscription(EmotionArray, "emotions", on_emotions, OUTPUT)
        if on_overlay is not None:
            self.node.create_subscription(Image, "overlay", on_overlay, OUTPUT)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def __enter__(self) -> GraphListener:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        rclpy.shutdown()

    def wait_until_heard(self, topics: Mapping[str, int], check: Callable[[], object]) -> None:
        """Return when every topic has so many subscribers; call check meanwhile, which may raise.

        Raises DferError where that takes too long.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(self._subscribers(topic) < count for topic, count in topics.items()):
            check()
            if time.monotonic() > deadline:
                raise DferError(f"The nodes did not find each other in {_PATIENCE_SECONDS:.0f} s: is DDS blocked here?")
            time.sleep(_POLL_SECONDS)
        # That this process has found them does not mean yet that they have found each other.
        time.sleep(_SETTLE_SECONDS)

    def _subscribers(self, topic: str) -> int:
        count: int = self.node.count_subscribers(self.node.resolve_topic_name(topic))
        return count
