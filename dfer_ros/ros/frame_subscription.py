"""The subscription to a stream of frames: waited for in a thread of its own, so that the executor sleeps meanwhile."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

Message = TypeVar("Message")

_FOR_EVER = -1


class FrameSubscription(Generic[Message]):
    """Calls receive with every message of a topic, in a thread of its own, until it is closed.

    rclpy's executor puts every timer, service and guard condition of its nodes into a new wait set, twice for each
    message that it takes: a tenth of what perception_node spent. This one knows the subscription alone, as that of
    rclpy.wait_for_message does.
    The first message may come before the constructor returns. What receive raises ends the thread, and with it the
    process: see run_nodes().
    """

    def __init__(
        self, node: Node, kind: type[Message], topic: str, receive: Callable[[Message], None], quality: QoSProfile
    ) -> None:
        self._node = node
        self._receive = receive
        group = _OutsideTheExecutor()
        self._subscription: Subscription[Any] = node.create_subscription(
            kind, topic, receive, quality, callback_group=group
        )
        self._end = node.create_guard_condition(lambda: None, callback_group=group)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"subscription {topic}", daemon=True)
        self._thread.start()
        # A thread that waits in the middleware while the interpreter ends would abort the process.
        atexit.register(self.close)

    def close(self) -> None:
        """Finish the message at hand, and stop listening; nothing more where it is closed."""
        if self._closing:
            return
        self._closing = True
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self._end.handle.trigger_guard_condition()  # kept by the thread, even where the node is destroyed
        self._thread.join()
        self._node.destroy_guard_condition(self._end)
        self._node.destroy_subscription(self._subscription)

    def _run(self) -> None:
        subscription, end, context = self._subscription.handle, self._end.handle, self._node.context.handle
        events = self._subscription.event_handlers
        with ExitStack() as kept:
            for waited_for in (subscription, end, context, *events):
                kept.enter_context(waited_for)
            wait_set = rclpy_implementation.WaitSet(1, 1, 0, 0, 0, len(events), context)
            while not self._closing:
                wait_set.clear_entities()
                wait_set.add_subscription(subscription)
                wait_set.add_guard_condition(end)
                for event in events:
                    event.add_to_wait_set(wait_set)
                wait_set.wait(_FOR_EVER)
                self._take()
                for event in events:
                    if event.is_ready(wait_set) and (told := event.take_data()):
                        event.callback(told)

    def _take(self) -> None:
        """Pass on the message that has arrived, if one has."""
        taken = self._subscription.handle.take_message(self._subscription.msg_type, self._subscription.raw)
        if taken is not None and not self._closing:
            self._receive(taken[0])


class _OutsideTheExecutor(ReentrantCallbackGroup):
    """Leaves a subscription to its thread, with what tells of peers that do not match it: both wake whoever waits."""

    def can_execute(self, entity: Any) -> Any:
        return False
