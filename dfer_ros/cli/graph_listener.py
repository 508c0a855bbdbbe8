"""Listens to a running graph from a thread beside a command."""

from __future__ import annotations

import threading
from collections.abc import Callable

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from dfer_msgs.msg import EmotionArray, FaceArray

_QUEUE = 10
"""A listener, unlike a node, wants every message."""


class GraphListener:
    """Calls back, from its own thread, with every message of `emotions` and, where asked for, `faces` and `overlay`."""

    def __init__(
        self,
        namespace: str,
        on_faces: Callable[[FaceArray], None] | None,
        on_emotions: Callable[[EmotionArray], None],
        on_overlay: Callable[[Image], None] | None = None,
    ) -> None:
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node("dfer_listener", namespace=namespace)
        quality = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=_QUEUE, reliability=ReliabilityPolicy.RELIABLE)
        if on_faces is not None:
            self.node.create_subscription(FaceArray, "faces", on_faces, quality)
        self.node.create_subscription(EmotionArray, "emotions", on_emotions, quality)
        if on_overlay is not None:
            self.node.create_subscription(Image, "overlay", on_overlay, quality)
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

    def listeners(self, topic: str) -> int:
        """Return how many subscribers a topic has."""
        count: int = self.node.count_subscribers(self.node.resolve_topic_name(topic))
        return count
