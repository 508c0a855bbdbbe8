"""`dfer record`: emotions, and on request faces and images, of the running graph into a rosbag2."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rich.status import Status

from dfer_ros.bags.recorder import BagRecorder
from dfer_ros.bags.repair import repair_bag
from dfer_ros.bags.writer import STORAGES, BagWriter, check_free
from dfer_ros.cli.run import NAMESPACE
from dfer_ros.cli.terminal import say, terminal, warn
from dfer_ros.core.errors import SourceError
from dfer_ros.graph.processes import transport_environment
from dfer_ros.ros.starting import start_node
from dfer_ros.ros.topics import full_namespace, full_topic
from dfer_ros.text.wording import plural

_WAKE_SECONDS, _LOOK_SECONDS, _FLUSH_SECONDS, _PATIENCE_SECONDS = 0.1, 0.25, 1.0, 5.0
_LAST_MESSAGES = 100
"""Taken from the queues at the end."""
_MEGABYTE = 10**6


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer record`."""
    parser.add_argument("-o", "--output", type=Path, help="folder of the bag (dfer_<date and time>)")
    parser.add_argument("--faces", action="store_true", help="record the faces as well: pictures of persons")
    parser.add_argument("--image", metavar="TOPIC", help="record the images of a camera as well")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="record other topics as well")
    parser.add_argument("--namespace", default=NAMESPACE, help="namespace of the nodes (%(default)s)")
    parser.add_argument("--storage", choices=STORAGES, default=STORAGES[0], help="format of the file (%(default)s)")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="end by itself after this time")
    parser.add_argument(
        "--use-sim-time", action="store_true", help="take the times from /clock, as for a bag that is replayed"
    )
    parser.add_argument(
        "--keep-free", type=float, default=200.0, metavar="MB", help="end before the disk has less room (%(default)s)"
    )
    parser.add_argument("--repair", type=Path, metavar="BAG", help="make a whole bag of what a killed recorder left")


def run(arguments: argparse.Namespace) -> int:
    """Record until Ctrl-C, or repair a bag."""
    output = arguments.output or Path(time.strftime("dfer_%Y_%m_%d-%H_%M_%S"))
    if arguments.duration is not None and not arguments.duration > 0.0:
        raise SourceError("--duration must be above 0.")
    if not arguments.keep_free >= 0.0:
        raise SourceError("--keep-free must be 0 or more.")
    check_free(output)
    if arguments.repair:
        return _repair(arguments.repair, output, arguments.storage)
    _check_room(output, arguments.keep_free)
    topics = _topics(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    with _node(arguments.use_sim_time) as node:
        return _record_bag(node, output, topics, arguments, stopped)


def _repair(bag: Path, output: Path, storage: str) -> int:
    repaired = repair_bag(bag, output, storage)
    warn(*repaired.remarks)
    say(f"{plural(repaired.messages, 'message')} -> {output}")
    return 0


@contextlib.contextmanager
def _node(use_sim_time: bool) -> Iterator[Node]:
    os.environ.update(transport_environment())
    node = start_node("dfer_record", parameter_overrides=[Parameter("use_sim_time", value=use_sim_time)])
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown()


def _record_bag(
    node: Node, output: Path, topics: Sequence[str], arguments: argparse.Namespace, stopped: threading.Event
) -> int:
    writer = BagWriter(output, arguments.storage)
    try:
        recorder = BagRecorder(node, writer, topics, warn)
        reason = _record_until_end(node, recorder, writer, arguments, stopped)
        writer.close()
    except SourceError as error:
        remedy = f"Make room, then 'dfer record --repair {output} --output NEW' makes a whole bag of what is there."
        raise SourceError(f"{error} {remedy}") from error
    except BaseException:
        if not writer.messages:
            writer.discard()
        raise
    for topic in recorder.topics.values():
        say(f"{topic.name}: {plural(topic.messages, 'message')}")
    if recorder.untimed:
        warn(f"{recorder.untimed} messages came before the first /clock and were left out.")
    if reason:
        warn(reason)
    if not writer.messages:
        raise SourceError("Nothing was received, and no bag was written: does the graph run, in this namespace?")
    say(f"{plural(writer.messages, 'message')}, {writer.bytes / _MEGABYTE:.1f} MB -> {output}")
    return 1 if reason else 0


def _topics(arguments: argparse.Namespace) -> list[str]:
    base = full_namespace("--namespace", arguments.namespace).rstrip("/")
    topics = [f"{base}/emotions", *([f"{base}/faces"] if arguments.faces else [])]
    topics += [full_topic("--image", arguments.image)] if arguments.image else []
    topics += [full_topic("--topics", topic) for topic in arguments.topics]
    return list(dict.fromkeys(topics))


def _record_until_end(
    node: Node, recorder: BagRecorder, writer: BagWriter, arguments: argparse.Namespace, stopped: threading.Event
) -> str:
    """Record until the end; return why it came early, empty where it did not."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    begin = looked = flushed = time.monotonic()
    end = begin + (arguments.duration or float("inf"))
    warned = False
    recorder.look()
    with terminal(aside=True).status("") as status:
        while not stopped.is_set() and (now := time.monotonic()) < end:
            executor.spin_once(timeout_sec=_WAKE_SECONDS)
            if now - looked > _LOOK_SECONDS:
                looked = now
                recorder.look()
                _show_progress(status, recorder, writer, now - begin)
            if now - flushed > _FLUSH_SECONDS:
                flushed = now
                writer.flush()
                if _room(writer.path) < arguments.keep_free:
                    return f"Less than {arguments.keep_free:g} MB are free: the recording ended there."
            if recorder.awaited and not warned and now - begin > _PATIENCE_SECONDS:
                warned = True
                warn(f"Nobody publishes {' and '.join(recorder.awaited)} yet; recording as soon as somebody does.")
    for _ in range(_LAST_MESSAGES):
        executor.spin_once(timeout_sec=0.0)
    return ""


def _show_progress(status: Status, recorder: BagRecorder, writer: BagWriter, seconds: float) -> None:
    counts = ", ".join(f"{topic.name} {topic.messages}" for topic in recorder.topics.values())
    status.update(f"recording {counts}: {writer.bytes / _MEGABYTE:.1f} MB in {seconds:.0f} s (Ctrl-C ends)")


def _check_room(output: Path, keep_free: float) -> None:
    parent = next(folder for folder in output.absolute().parents if folder.is_dir())
    if _room(parent) < keep_free:
        raise SourceError(f"Less than {keep_free:g} MB are free in {parent}: make room, or lower --keep-free.")


def _room(path: Path) -> float:
    return shutil.disk_usage(path).free / _MEGABYTE
