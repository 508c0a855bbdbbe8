"""Notices that messages have stopped."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node

_PERIOD_SECONDS = 0.25


class SilenceTimer:
    """Calls on_silence, in the executor's thread, once nothing was heard for some seconds of the node's clock.

    A simulated clock that is paused stops the silence as well. seconds: may be set at any time.
    """

    def __init__(self, node: Node, seconds: float, on_silence: Callable[[], None]) -> None:
        self.seconds = seconds
        self._node = node
        self._on_silence = on_silence
        self._heard_at: float | None = None
        self._timer = node.create_timer(_PERIOD_SECONDS, self._check)

    def heard(self) -> None:
        """Take in that something came; may be called from any thread."""
        self._heard_at = self._now()

    def close(self) -> None:
        """Stop looking."""
        self._node.destroy_timer(self._timer)

    def _check(self) -> None:
        # A clock that went back, as when a bag starts again, is no silence of the time in between.
        if self._heard_at is not None and self._now() - self._heard_at > self.seconds:
            self._heard_at = None
            self._on_silence()

    def _now(self) -> float:
        seconds: float = self._node.get_clock().now().nanoseconds * 1e-9
        return seconds
