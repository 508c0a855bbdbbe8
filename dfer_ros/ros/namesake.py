"""Notices a second node of the same name, which ROS 2 allows: both answer, and a service call reaches either."""

from __future__ import annotations

import time

from rclpy.node import Node

_LEASE_SECONDS = 25.0
"""For so long a node that was killed may still be listed after the one that takes its place has started."""


class Namesake:
    """Looks whether the graph lists a node's name twice; lease_seconds: for how long that may be a dead one's."""

    def __init__(self, node: Node, lease_seconds: float = _LEASE_SECONDS) -> None:
        self._node = node
        self._lease_seconds = lease_seconds
        self._since: float | None = None
        self._said = False

    def warning(self) -> str:
        """Return a sentence on the second node, which is logged when it is first noticed, or nothing."""
        name, namespace = self._node.get_name(), self._node.get_namespace()
        if self._node.get_node_names_and_namespaces().count((name, namespace)) < 2:
            self._since = None
            return ""
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since < self._lease_seconds:
            return ""
        sentence = (
            f"Another node is called {self._node.get_fully_qualified_name()} too, so every frame is answered twice: "
            "end one of them, or start it in another namespace."
        )
        if not self._said:
            self._said = True
            self._node.get_logger().warning(sentence)
        return sentence
