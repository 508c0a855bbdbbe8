"""Runs nodes as processes, for everything that needs a graph: commands, benches and tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from dfer_ros.core.errors import DferError, in_one_line
from dfer_ros.core.installed_files import share_directory
from dfer_ros.ros.starting import interruption_waits
from dfer_ros.ros.waiting import wait_until

PERCEPTION = "perception_node"
"""The process of the face detector and dfer_node."""
ONE_PROCESS = "one"
PROCESSES = (ONE_PROCESS, "two")
"""In how many processes these two run; the first is the default."""
_SIGINT_SECONDS, _SIGTERM_SECONDS, _SIGKILL_SECONDS = 5.0, 2.0, 1.0
_LAST_LINES_SECONDS = 1.0
_MOST_LINES = 10_000
_LOG_PREFIX = re.compile(r"^\[\w+\] \[[\d.]+\] \[(?:[\w./]+\.)?(\w+)\]: ")


class GraphProcesses:
    """Starts nodes, passes on what they say, and ends them all when the `with` ends.

    say: called with one line of a node's log at a time, from threads, until the nodes are ended.
    processes, logs: by node, with the name of its camera before it where it has one: left/face_detector_node. Each log
    holds the newest 10,000 lines as they were printed.
    """

    def __init__(self, namespace: str, say: Callable[[str], object] = lambda _: None) -> None:
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.logs: dict[str, deque[str]] = {}
        self._namespace = namespace
        self._say = say
        self._readers: dict[str, threading.Thread] = {}
        self._ending = False
        self._unsaid: BaseException | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="dfer_parameters_")

    def __enter__(self) -> GraphProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self,
        node: str,
        *arguments: str,
        room: str = "nodes",
        camera: str = "",
        words: Sequence[str] = (),
        name: str = "",
    ) -> subprocess.Popen[str]:
        """Start a node with arguments of ROS, such as `-p name:=value`, and return its process.

        room: where in dfer_ros it is. camera: of several nodes of a kind, each has one, and its namespace ends with it.
        words: arguments that are not of ROS. name: of the process, where not that of the node.
        """
        name = name or (f"{camera}/{node}" if camera else node)
        namespace = f"{self._namespace}/{camera}" if camera else self._namespace
        with interruption_waits():
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", f"dfer_ros.{room}.{node}", *words),
                    *("--ros-args", "-r", f"__ns:={namespace}", *arguments),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "RCUTILS_COLORIZED_OUTPUT": "0"},
                # Ctrl-C in the terminal is for this process, which then ends the nodes.
                start_new_session=True,
            )
            self.processes[name] = process
            self.logs[name] = deque(maxlen=_MOST_LINES)
            reader = threading.Thread(target=self._read_log, args=(name, process, self.logs[name]), daemon=True)
            reader.start()
            self._readers[name] = reader
        return process

    def start_as_launched(self, node: str, parameters: Mapping[str, object], remaps: Mapping[str, str]) -> None:
        """Start a node with its YAML of the launch files, parameters that differ from it, and remaps of its topics."""
        self.start(node, *self._parameter_files({node: parameters}), *_remaps(remaps))

    def start_perception(
        self,
        detector: Mapping[str, object],
        recognizer: Mapping[str, object],
        remaps: Mapping[str, str],
        words: Sequence[str] = (),
    ) -> None:
        """Start the face detector and dfer_node in one process, each with its YAML and parameters that differ from it.

        words: arguments of perception_node that are not of ROS.
        """
        files = self._parameter_files({"face_detector_node": detector, "dfer_node": recognizer})
        self.start(PERCEPTION, *files, *_remaps(remaps), words=words)

    def kill(self, node: str) -> None:
        """Kill a node, as a crash would; it may be started again."""
        self.processes[node].kill()
        self.processes[node].wait()

    def stop(self, seconds: float = _SIGINT_SECONDS) -> dict[str, int]:
        """Ask all nodes to end, as Ctrl-C does, and return their exit codes by node.

        Those that have not ended after so many seconds are told once more, then killed. A second Ctrl-C waits for that.
        """
        self._ending = True
        with interruption_waits():
            for number, patience in (
                (signal.SIGINT, seconds),
                (signal.SIGTERM, _SIGTERM_SECONDS),
                (signal.SIGKILL, _SIGKILL_SECONDS),
            ):
                for process in self.processes.values():
                    if process.poll() is None:
                        process.send_signal(number)
                wait_until(lambda: len(self.ended()) == len(self.processes), patience)
            self.hear_out(self._readers)
            self._folder.cleanup()
        return self.ended()

    def hear_out(self, nodes: Iterable[str]) -> None:
        """Wait until all that nodes, which have ended, had to say is said."""
        for node in nodes:
            # Whoever a node has started may hold its output open.
            self._readers[node].join(_LAST_LINES_SECONDS)

    def pids(self) -> dict[str, int]:
        """Return the process ids by node."""
        return {node: process.pid for node, process in self.processes.items()}

    def ended(self) -> dict[str, int]:
        """Return the exit codes of the nodes that have ended, by node; raises what kept a line from being said."""
        if self._unsaid is not None and not self._ending:
            raise self._unsaid
        codes = {node: process.poll() for node, process in self.processes.items()}
        return {node: code for node, code in codes.items() if code is not None}

    def lines(self, node: str, text: str) -> list[str]:
        """Return the lines of a node's log that hold a text."""
        return [line for line in list(self.logs[node]) if text in line]

    def _parameter_files(self, nodes: Mapping[str, Mapping[str, object]]) -> list[str]:
        """Return the arguments that give every node its parameters, by node.

        In a file: on a command line a parameter is one of all nodes in the process.
        """
        parameters: dict[str, dict[str, dict[str, object]]] = {}
        for node, values in nodes.items():
            parameters |= own_parameters(node)
            parameters[f"/**/{node}"]["ros__parameters"].update(values)
        file = Path(self._folder.name) / f"{len(list(Path(self._folder.name).iterdir()))}.yaml"
        file.write_text(yaml.safe_dump(parameters), encoding="utf-8")
        return ["--params-file", str(file)]

    def _read_log(self, node: str, process: subprocess.Popen[str], log: deque[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line.rstrip())
            if self._ending or self._unsaid is not None:
                continue  # whatever happens, a node whose lines nobody takes would stand still
            # Of several nodes in one process each line has the name of its own.
            prefix = _LOG_PREFIX.match(line)
            said = line[prefix.end() :] if prefix else line
            try:
                self._say(f"{prefix[1] if prefix else node}: {said.rstrip()}")
            except (OSError, SystemExit) as error:  # the latter is Rich's, where nobody reads on
                self._unsaid = error


def own_parameters(node: str) -> dict[str, dict[str, dict[str, object]]]:
    """Return what config/<node>.yaml says, for that node alone: of several in one process, `/**` would be each.

    Raises DferError where that is no file of parameters.
    """
    file = share_directory() / "config" / f"{node}.yaml"
    found: dict[str, dict[str, dict[str, object]]] = {f"/**/{node}": {"ros__parameters": {}}}
    try:
        for name, section in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            own = found.setdefault(f"/**/{node}" if name == "/**" else name, {"ros__parameters": {}})
            own["ros__parameters"].update(section["ros__parameters"])
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise DferError(f"{file} is no file of parameters ({in_one_line(error)}): correct it.") from error
    return found


def _remaps(topics: Mapping[str, str]) -> list[str]:
    return [word for topic, target in topics.items() for word in ("-r", f"{topic}:={target}")]


PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""The names of Fast DDS 3 and, second, of Fast DDS 2; version 3 warns about the second."""
_FAST_DDS_2_DISTRIBUTIONS = ("humble", "jazzy")


def transport_environment() -> dict[str, str]:
    """Return the variables that give a process config/fastdds_shm.xml; none where the user has set a profile."""
    if any(variable in os.environ for variable in PROFILE_VARIABLES):
        return {}
    profile = str(share_directory() / "config" / "fastdds_shm.xml")
    needs_both = os.environ.get("ROS_DISTRO") in _FAST_DDS_2_DISTRIBUTIONS
    return dict.fromkeys(PROFILE_VARIABLES if needs_both else PROFILE_VARIABLES[:1], profile)
