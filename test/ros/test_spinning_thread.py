"""A node that spins in a thread of its own."""

import threading

from rclpy.executors import SingleThreadedExecutor

from dfer_ros.ros.spinning_thread import SpinningThread


def closes(node):
    """Return whether the thread of a node in which nothing happens ends when it is told to."""
    spinning = SpinningThread(node)
    closing = threading.Thread(target=spinning.close, daemon=True)
    closing.start()
    closing.join(10.0)
    return not closing.is_alive()


def test_an_idle_node_is_left_at_once(node):
    assert closes(node)


def test_it_is_left_too_where_a_future_does_not_end_the_wait(node, monkeypatch):
    # As in Humble, whose executor goes on to wait for a callback of the node.
    monkeypatch.setattr(
        SingleThreadedExecutor,
        "_spin_once_until_future_complete",
        lambda executor, _future, timeout_sec=None: executor._spin_once_impl(timeout_sec),
    )
    assert closes(node)
