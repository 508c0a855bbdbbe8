"""The nodes of the graph as processes of their own, from the same YAML that the launch files use."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from dfer_ros.core.installed_files import share_directory

_SIGINT_SECONDS, _SIGTERM_SECONDS = 5.0, 2.0
_LOG_PREFIX = re.compile(r"^\[(\w+)\] \[[\d.]+\] \[[\w./]+\]: ")


class GraphProcesses:
    """Starts nodes, passes on what they say, and ends them all when the `with` ends.

    say: called with one line of a node's log at a time, from threads.
    """

    def __init__(self, namespace: str, say: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._say = say
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._ending = False

    def __enter__(self) -> GraphProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start(self, node: str, parameters: Mapping[str, object], remaps: Mapping[str, str]) -> None:
        """Start a node with its YAML, parameters that differ from it, and remaps of its topics."""
        defaults = share_directory() / "config" / f"{node}.yaml"
        arguments = ["--ros-args", "-r", f"__ns:={self._namespace}", "--params-file", str(defaults)]
        for name, value in parameters.items():
            arguments += ["-p", f"{name}:={_yaml(value)}"]
        for name, target in remaps.items():
            arguments += ["-r", f"{name}:={target}"]
        self._start(node, f"dfer_ros.nodes.{node}", arguments)

    def _start(self, name: str, module: str, arguments: Sequence[str]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "RCUTILS_COLORIZED_OUTPUT": "0"},
            # Ctrl-C in the terminal is for this process, which then ends the nodes.
            start_new_session=True,
        )
        self._processes[name] = process
        threading.Thread(target=self._pass_on, args=(name, process), daemon=True).start()

    def kill(self, node: str) -> None:
        """End a node as a crash would, without a chance to say good-bye; it may be started again."""
        self._processes[node].kill()
        self._processes[node].wait()

    def pids(self) -> dict[str, int]:
        """Return the process ids by node."""
        return {node: process.pid for node, process in self._processes.items()}

    def ended(self) -> dict[str, int]:
        """Return the exit codes of the nodes that have ended, by node."""
        codes = {node: process.poll() for node, process in self._processes.items()}
        return {node: code for node, code in codes.items() if code is not None}

    def _pass_on(self, node: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not self._ending:
                self._say(f"{node}: {_LOG_PREFIX.sub('', line.rstrip())}")

    def _end(self) -> None:
        self._ending = True
        for send, patience in (
            (signal.SIGINT, _SIGINT_SECONDS),
            (signal.SIGTERM, _SIGTERM_SECONDS),
            (signal.SIGKILL, 1.0),
        ):
            running = [process for process in self._processes.values() if process.poll() is None]
            for process in running:
                process.send_signal(send)
            _wait(running, patience)


def _wait(processes: Sequence[subprocess.Popen[str]], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # Quotes keep '0' a text: a camera index is not a number to the node.
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
