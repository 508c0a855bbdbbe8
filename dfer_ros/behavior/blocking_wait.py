"""Blocks a thread until something happens on a node, but never the thread that has to make it happen."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rclpy.executors import Executor, ExternalShutdownException, MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node

from dfer_ros.behavior.emotion_states import BehaviorError

Found = TypeVar("Found")

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0
"""How long nobody may spin the node before waiting for it is refused; the listener's timer runs five times as often."""


class BlockingWait:
    """Waits while another thread spins the node, spins it if nobody does, and refuses if the wait could never end.

    node: the one whose callbacks bring what is waited for. changed: notified whenever that may have come.
    """

    def __init__(self, node: Node, changed: threading.Condition) -> None:
        self._node = node
        self._changed = changed
        self._spinning_here = threading.Lock()
        self._spin_thread: int | None = None
        self._spun_at = float("-inf")
        self._callback_thread: int | None = None

    @contextmanager
    def callback(self) -> Iterator[None]:
        """Note which thread runs a callback; to be put around each that may bring what is waited for."""
        self._spin_thread = self._callback_thread = threading.get_ident()
        self._spun_at = time.monotonic()
        try:
            yield
        finally:
            self._callback_thread = None

    def wait(self, find: Callable[[], Found | None], timeout: float) -> Found | None:
        """Return what find returns as soon as that is not None; None after timeout (s), or when ROS is shut down.

        find is called with `changed` held. Raises BehaviorError in a callback for which the node's executor has no
        other thread, and where the node lies in an executor that nobody spins.
        """
        self._refuse_in_callback()
        start = time.monotonic()
        while True:
            with self._changed:
                found = find()
                left = start + timeout - time.monotonic()
                if found is not None or left <= 0.0 or not self._node.context.ok():
                    return found
                if self._executor() is not None:
                    self._refuse_if_nobody_spins(start)
                    self._changed.wait(min(left, _POLL_SECONDS))
                    continue
            self._spin(find, left)

    def _executor(self) -> Any:
        """Return the executor that has the node. A node still names the one that it was removed from."""
        executor = self._node.executor
        return executor if executor is not None and self._node in executor.get_nodes() else None

    def _refuse_in_callback(self) -> None:
        executor = self._executor()
        one_thread = executor is not None and not isinstance(executor, MultiThreadedExecutor)
        if self._callback_thread == threading.get_ident() or (one_thread and _runs_within(executor)):
            raise BehaviorError(
                f"wait_for() in a callback would block the thread that spins {self._node.get_name()}, and wait for "
                "ever: call it in a thread of its own, or say 'await emotions.future_for(...)' in an async callback."
            )

    def _refuse_if_nobody_spins(self, start: float) -> None:
        now = time.monotonic()
        somebody_else = self._spin_thread not in (None, threading.get_ident())
        if not somebody_else and now - max(start, self._spun_at) > _PATIENCE_SECONDS:
            raise BehaviorError(
                f"wait_for() waits in vain: {self._node.get_name()} is in an executor that no other thread spins; spin "
                "it in a thread of its own, or leave it out of executors: then wait_for() spins it."
            )

    def _spin(self, find: Callable[[], Found | None], seconds: float) -> None:
        """Spin the node here until something is found, time is over, or somebody else wants to spin it."""
        if not self._spinning_here.acquire(timeout=min(seconds, _POLL_SECONDS)):
            return
        deadline = time.monotonic() + seconds
        executor = SingleThreadedExecutor(context=self._node.context)
        try:
            executor.add_node(self._node)
            while self._executor() is executor and time.monotonic() < deadline:
                executor.spin_once(timeout_sec=min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))
                with self._changed:
                    if find() is not None:
                        return
        except ExternalShutdownException:
            return
        finally:
            executor.remove_node(self._node)
            executor.shutdown()
            self._spinning_here.release()


def _runs_within(executor: Executor) -> bool:
    """Return whether this thread is in a callback of this executor, where that is written in Python."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_locals.get("self") is executor:
            return True
        frame = frame.f_back
    return False
