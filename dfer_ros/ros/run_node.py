"""Runs the process of a node: starts it, spins it, and ends with an exit code that says how it went."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import cv2
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node

from dfer_ros.core.errors import DferError, sentence
from dfer_ros.core.standard_streams import open_closed_streams
from dfer_ros.ros.exit_timer import exit_after
from dfer_ros.ros.shared_memory import remove_abandoned_segments
from dfer_ros.ros.starting import ros_refusals, start_ros

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of malloc.h."""
_LARGEST_IMAGE_BYTES = 32 * 2**20
"""What mallopt() takes at most; an image of 3840x2160 has 25 MB."""
_MOST_KEPT_BYTES = 128 * 2**20
_WAKE_SECONDS = 0.2
"""How long a signal may wait while nothing happens in the graph."""
_DEAF_SECONDS = 60.0
"""For how long a callback may keep the executor. Loading a model takes a second, on a small board ten."""
_SIGN_SECONDS = 1.0
_GOODBYE_SECONDS = 4
"""What DDS gets to delete what is the nodes': less than `ros2 launch` and `dfer run` wait after Ctrl-C."""


class SourceEnded(Exception):
    """A callback raises it when the work of its node is done: the process ends with the exit code given to it."""

    def __init__(self, code: int = 0) -> None:
        super().__init__()
        self.code = code


def run_node(name: str, create: Callable[[], Node], arguments: list[str] | None = None) -> None:
    """Run a node until it is told to stop, then leave the process; see run_nodes()."""
    run_nodes(name, lambda: [create()], arguments)


def run_nodes(name: str, create: Callable[[], Sequence[Node]], arguments: list[str] | None = None) -> None:
    """Run nodes in one executor until they are told to stop, then leave the process. name: of the process.

    Exit code 0 after Ctrl-C or SIGTERM, that of SourceEnded after that; 1, with one sentence, after a DferError; 1,
    with its stack, where a thread has failed, and with those of all where the executor has not come back for a minute.
    What was to be the exit code stays it where DDS does not come back once the nodes are closed.
    The signals do not shut the context down, as rclpy's own handlers would: the threads of the node publish until they
    are closed.
    """
    open_closed_streams()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _keep_freed_memory()
    # A node that was killed and is started again takes away what it left, and so the robot's memory does not fill up.
    remove_abandoned_segments()
    try:
        start_ros(arguments)
    except DferError as error:
        sys.exit(f"{name}: {sentence(error)}")
    failed = threading.Event()

    def end_with_its_thread(what: threading.ExceptHookArgs) -> None:
        threading.__excepthook__(what)
        failed.set()
        stop.set()

    threading.excepthook = end_with_its_thread
    code = 0
    try:
        with ros_refusals("ROS 2 refuses what is asked for"):
            nodes = create()
        code = _spin(nodes, stop, failed)
    except DferError as error:
        get_logger(name).fatal(sentence(error))
        code = 1
    rclpy.try_shutdown()
    sys.exit(code)


def _spin(nodes: Sequence[Node], stop: threading.Event, failed: threading.Event) -> int:
    """Return the exit code. failed: whether a thread has."""
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    # What is loaded stays until the end: no collection of garbage walks through it again.
    gc.collect()
    gc.freeze()
    next_sign = 0.0
    code = 1
    try:
        while not stop.is_set():
            if time.monotonic() >= next_sign:
                _give_sign_of_life()
                next_sign = time.monotonic() + _SIGN_SECONDS
            executor.spin_once(timeout_sec=_WAKE_SECONDS)
        code = 0
    except SourceEnded as end:
        code = end.code
    finally:
        _give_sign_of_life()
        with ExitStack() as closed:  # one that fails keeps no other from it
            for node in nodes:
                closed.callback(node.close)
        code = code or int(failed.is_set())
        # What the nodes do is done. Fast DDS 3.2 can hang for ever while it deletes a service and others leave as well.
        with exit_after(_GOODBYE_SECONDS, code):
            for node in nodes:
                executor.remove_node(node)
                node.destroy_node()
            rclpy.try_shutdown()
    return code


def _give_sign_of_life() -> None:
    """End the process if the next sign does not come in time, so that whoever respawns it can.

    A middleware that never comes back, and keeps Python's lock meanwhile, leaves a process that no signal but SIGKILL
    reaches. Fast DDS can: see the pause of ros/image_subscription.py. What faulthandler runs needs no lock.
    """
    faulthandler.dump_traceback_later(_DEAF_SECONDS, exit=True)


def _keep_freed_memory() -> None:
    """Have the C library keep the memory of one image for the next one.

    By default it gives it back to Linux, which hands out every page anew, filled with zeros: 225 faults for each copy
    of an image of 640x480, and half of the CPU that receiving it takes. Other C libraries than glibc have no such call.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_IMAGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT_BYTES)


def bound_opencv_threads(threads: int) -> None:
    """Keep OpenCV to a number of threads; by default it would take every core for each image."""
    cv2.setNumThreads(threads)
