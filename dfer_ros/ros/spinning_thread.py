"""A node that is spun in a thread of its own, beside a command or a test."""

from __future__ import annotations

import threading

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future


class SpinningThread:
    """Calls the callbacks of a node in a thread, until close().

    An executor that another thread shuts down while it spins raises InvalidHandle there where it is at work just then.
    So it is told to end, and shut down afterwards.
    """

    def __init__(self, node: Node) -> None:
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._end: Future[None] = Future()
        self._thread = threading.Thread(target=self._spin, name=f"spin {node.get_name()}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the callback at hand, and end the thread; the node is left."""
        # As a task: the executor of Humble sees that a future is done only after the next callback of the node.
        self._executor.create_task(self._end.set_result, None)
        self._thread.join()
        self._executor.shutdown()

    def _spin(self) -> None:
        self._executor.spin_until_future_complete(self._end)
