"""The life of a node's process: start, spin, and end with an exit code that tells how it went."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node

from dfer_ros.core.errors import DferError


class ClosableNode(Protocol):
    """A node that ends its own threads."""

    def close(self) -> None:
        """End the threads of the node; it is destroyed next."""
        ...


def run_node(name: str, create: Callable[[], Node], arguments: list[str] | None = None) -> None:
    """Run a node until it is told to stop, then leave the process.

    Exit code 0 after Ctrl-C, SIGTERM or a source that came to its end; 1, with one sentence, after a DferError.
    """
    try:
        rclpy.init(args=arguments)
    except RuntimeError as error:
        sys.exit(f"{name}: ROS 2 cannot start: {error}")
    try:
        code = _spin(create)
    except DferError as error:
        get_logger(name).fatal(str(error))
        code = 1
    except (KeyboardInterrupt, ExternalShutdownException):
        code = 0
    rclpy.try_shutdown()
    sys.exit(code)


def _spin(create: Callable[[], Node]) -> int:
    node = create()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        executor.spin()
    finally:
        node.close()
        executor.remove_node(node)
        node.destroy_node()
    return 0


def bound_opencv_threads(threads: int) -> None:
    """Keep OpenCV to a number of threads; by default it would take every core for each image."""
    cv2.setNumThreads(threads)
