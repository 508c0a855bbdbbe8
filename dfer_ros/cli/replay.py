"""`dfer replay`: a rosbag2 into the running graph, with its clock; no ROS installation needed."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rich.progress import BarColumn, TextColumn
from rosgraph_msgs.msg import Clock

from dfer_ros.bags.played_topics import CLOCK_TOPIC, PlayedTopics, create_publishers, parse_remaps, rivals
from dfer_ros.bags.player import BagPlayer, PlayConfig, lateness
from dfer_ros.bags.reader import open_reader
from dfer_ros.bags.selection import BagPart, Selection, select
from dfer_ros.cli.keyboard import Keyboard
from dfer_ros.cli.terminal import progress, say, warn
from dfer_ros.core.errors import SourceError
from dfer_ros.graph.processes import transport_environment
from dfer_ros.ros.starting import start_node
from dfer_ros.ros.waiting import wait_for_listeners
from dfer_ros.text.wording import plural


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer replay`."""
    parser.add_argument("bag", type=Path, help="rosbag2 folder, or one .mcap or .db3 file")
    parser.add_argument("--rate", type=float, default=PlayConfig.rate, help="speed of the replay (%(default)s)")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--start", type=float, default=0.0, help="seconds of the bag to skip (%(default)s)")
    parser.add_argument("--duration", type=float, help="seconds of the bag to play; all without it")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="the only topics to play")
    parser.add_argument("--remap", nargs="+", default=[], metavar="OLD:=NEW", help="other names for topics of the bag")
    parser.add_argument(
        "--clock", type=float, default=PlayConfig.clock_rate, metavar="HZ", help="rate of /clock, 0: none (%(default)s)"
    )
    parser.add_argument(
        "--wait", type=float, default=10.0, metavar="SECONDS", help="most to wait for subscribers (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play until the end or Ctrl-C, and tell how late the messages were."""
    _check_arguments(arguments)
    remaps = parse_remaps(arguments.remap)
    part = BagPart(arguments.start, arguments.duration)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    with open_reader(arguments.bag) as reader:
        selection = select(reader, arguments.bag, arguments.topics, part)
        with _node() as node:
            own_clock = arguments.clock > 0.0
            topics = create_publishers(node, selection, remaps, own_clock)
            clock = node.create_publisher(Clock, CLOCK_TOPIC, QoSProfile(depth=1)) if own_clock else None
            warn(*topics.remarks)
            warn(*_wait_for_listeners(topics, arguments.wait, stopped))
            warn(*rivals(node, topics.names))
            return _play_bag(selection, topics, clock, arguments, stopped)


def _check_arguments(arguments: argparse.Namespace) -> None:
    if not 0.0 < arguments.rate < math.inf:
        raise SourceError("--rate must be above 0.")
    if not (arguments.clock >= 0.0 and arguments.wait >= 0.0):
        raise SourceError("--clock and --wait must be 0 or more.")


@contextlib.contextmanager
def _node() -> Iterator[Node]:
    os.environ.update(transport_environment())
    node = start_node("dfer_replay", start_parameter_services=False)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown()


def _wait_for_listeners(topics: PlayedTopics, seconds: float, stopped: threading.Event) -> list[str]:
    """Return when somebody listens, with a sentence where nobody does in that time."""
    if wait_for_listeners(topics.listeners, stopped, seconds) or stopped.is_set() or not seconds:
        return []
    names = " or ".join(topics.awaited_names())
    return [f"Nobody listens to {names} after {seconds:g} s; the bag is played all the same."]


def _play_bag(
    selection: Selection,
    topics: PlayedTopics,
    clock: Publisher | None,
    arguments: argparse.Namespace,
    stopped: threading.Event,
) -> int:
    config = PlayConfig(arguments.rate, arguments.loop, arguments.clock)
    with Keyboard() as keyboard, _progress((selection.stop - selection.start) * 1e-9, keyboard.there) as show:
        player = BagPlayer(selection, topics, clock, config, stopped, show)
        begin = time.monotonic()
        player.play(keyboard.pressed)
        seconds = time.monotonic() - begin
    _say_result(player, topics, seconds)
    return 130 if stopped.is_set() else 0


@contextlib.contextmanager
def _progress(total: float, pausable: bool) -> Iterator[Callable[[float, bool], None]]:
    hint = "(space pauses)" if pausable else ""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f}/{task.total:.1f} s"),
        TextColumn(hint, style="dim"),
    )
    with progress(*columns, auto_refresh=False) as shown:
        task = shown.add_task("playing", total=total)

        def show(seconds: float, paused: bool) -> None:
            shown.update(task, completed=min(seconds, total), description="paused " if paused else "playing")
            shown.refresh()

        yield show


def _say_result(player: BagPlayer, topics: PlayedTopics, seconds: float) -> None:
    passes = f", {player.passes} times" if player.passes > 1 else ""
    count, names = len(player.delays), len(topics.names)
    many = f"{plural(count, 'message')} on {plural(names, 'topic')} in {seconds:.1f} s{passes}"
    say(f"{many}; {lateness(player.delays)}." if count else f"{many}.")
