"""Subscriptions that are told when a message was published and received, where rclpy knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

_RCLPY_TELLS = hasattr(Subscription, "CallbackType")
"""Whether a callback may take a second argument: from Iron on. That of Humble is given one, whatever it takes."""


def create_timed_subscription(
    node: Node, kind: type, topic: str, take: Callable[[Any, int, int], object], quality: QoSProfile, raw: bool = False
) -> None:
    """Have the executor of a node call take(message, published, received) with every message of a topic.

    published, received: nanoseconds since 1970 by the clock of the computer, 0 where nobody tells (Humble). Received
    is when the middleware had the message: of Fast DDS when it came, of Cyclone DDS when the executor took it.
    raw: whether the message stays bytes.
    """

    def take_timed(message: Any, times: Mapping[str, int]) -> None:
        take(message, times["source_timestamp"], times["received_timestamp"])

    def take_untimed(message: Any) -> None:
        take(message, 0, 0)

    node.create_subscription(kind, topic, take_timed if _RCLPY_TELLS else take_untimed, quality, raw=raw)
