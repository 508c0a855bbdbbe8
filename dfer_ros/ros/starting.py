"""Starts ROS in a process, and turns whatever ROS refuses into one sentence."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from dfer_ros.core.errors import DferError, in_one_line

_REFUSALS = (_rclpy.RCLError, _rclpy.RMWError, _rclpy.UnknownROSArgsError, NameValidationException)
_LARGEST_DOMAIN = 232
"""Beyond it the ports of DDS do not reach, and Fast DDS ends the process instead of saying so."""
_PLACE = re.compile(r",? at /\S+:\d+")
"""Where in the sources of ROS an error was raised."""
_WRONG_KIND = re.compile(r"parameter '(.+)' to '.*' of type '\w+', expecting type '(?:Type\.)?(\w+)'")
_KINDS = {"BOOL": "true or false", "INTEGER": "a whole number", "DOUBLE": "a number", "STRING": "a text"}


def start_ros(arguments: Sequence[str] | None = None) -> None:
    """Start ROS in this process, with the arguments of the command line or others; signals stay the caller's.

    Raises DferError where ROS cannot start.
    """
    domain = os.environ.get("ROS_DOMAIN_ID", "")
    if domain and not (domain.isascii() and domain.isdecimal() and int(domain) <= _LARGEST_DOMAIN):
        raise DferError(
            f"ROS 2 cannot start: ROS_DOMAIN_ID is '{domain}'; set it to a whole number from 0 to {_LARGEST_DOMAIN}."
        )
    with ros_refusals("ROS 2 cannot start"):
        rclpy.init(args=None if arguments is None else list(arguments), signal_handler_options=SignalHandlerOptions.NO)


def start_node(name: str, arguments: Sequence[str] | None = (), **options: Any) -> Node:
    """Start ROS in this process and return a plain node in it; options: those of rclpy.create_node().

    Raises DferError where ROS cannot start.
    """
    start_ros(arguments)
    try:
        with ros_refusals("ROS 2 cannot start"):
            return rclpy.create_node(name, **options)
    except BaseException:
        rclpy.try_shutdown()
        raise


@contextlib.contextmanager
def interruption_waits() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP wait until the `with` ends: what has half begun nobody ends."""
    came: list[int] = []
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda came_number, _: came.append(came_number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came[:1]:
            handlers[number](number, None)


@contextlib.contextmanager
def ros_refusals(what: str) -> Iterator[None]:
    """Raise DferError, whose sentence starts with `what`, where ROS refuses something inside the `with`."""
    try:
        yield
    except ParameterException as error:
        wrong = _WRONG_KIND.search(str(error))
        if wrong is None or wrong[2] not in _KINDS:
            raise DferError(f"{what}: {in_one_line(error)}.") from error
        raise DferError(f"Parameter '{wrong[1]}' must be {_KINDS[wrong[2]]}: correct its value.") from error
    except _REFUSALS as error:
        said = _PLACE.sub("", in_one_line(error))
        remedy = "; set ROS_LOG_DIR to a folder that can be written" if "initialize logging" in said else ""
        raise DferError(f"{what}: {said}{remedy}.") from error
