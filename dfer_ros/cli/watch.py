"""`dfer watch`: a running graph in a terminal, for robots without a screen."""

from __future__ import annotations

import argparse
import math
import os
import time

from dfer_ros.cli.live_view import LiveView
from dfer_ros.cli.terminal import terminal
from dfer_ros.cli.watch_view import WatchView
from dfer_ros.core.errors import DferError
from dfer_ros.core.palette import ON_DARK, ON_LIGHT
from dfer_ros.graph.processes import transport_environment
from dfer_ros.graph.watched_graph import WatchedGraph
from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.ros.waiting import wait_until

_SHOW_SECONDS = 0.25
_GATHER_SECONDS = 1.5
"""What --once waits for after the first answer: rates need several, and diagnostics come once a second."""
_TIMEOUT_SECONDS = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer watch`."""
    parser.add_argument(
        "--topic", nargs="+", default=[], help="topics of emotions, such as /dfer/emotions (all there are)"
    )
    parser.add_argument("--once", action="store_true", help="print how things stand and end")
    parser.add_argument(
        "--timeout",
        type=float,
        default=_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="with --once: how long to wait for an answer (%(default)g)",
    )
    parser.add_argument("--light", action="store_true", help="colours for a light background")
    parser.add_argument("--use-sim-time", action="store_true", help="measure latency by /clock, as in a simulation")


def run(arguments: argparse.Namespace) -> int:
    """Show the graph until Ctrl-C; with --once print it once, and raise DferError if nothing was heard."""
    if not (math.isfinite(arguments.timeout) and arguments.timeout > 0.0):
        raise DferError("--timeout must be above 0 seconds.")
    os.environ.update(transport_environment())
    console = terminal()
    palette = ON_LIGHT if arguments.light else ON_DARK
    with GraphWatcher(use_sim_time=arguments.use_sim_time) as watcher:
        watcher.follow_emotions(arguments.topic)
        if arguments.once:
            console.print(WatchView(console, palette).draw(_once(watcher, arguments)))
            return 0
        with LiveView(console, palette) as view:
            while True:
                time.sleep(_SHOW_SECONDS)
                view.show(watcher.graph())


def _once(watcher: GraphWatcher, arguments: argparse.Namespace) -> WatchedGraph:
    if not wait_until(lambda: watcher.graph().heard, arguments.timeout):
        where = f" on {' and '.join(arguments.topic)}" if arguments.topic else ""
        raise DferError(f"Nothing was heard{where} in {arguments.timeout:g} s: {watcher.why_nothing()}")
    time.sleep(_GATHER_SECONDS)
    return watcher.graph()
