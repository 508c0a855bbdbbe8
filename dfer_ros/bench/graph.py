"""The graph under load: the real nodes and a camera as processes, timed from image stamp to emotion message."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from dfer_msgs.msg import EmotionArray
from dfer_ros.core.errors import DferError
from dfer_ros.graph.listener import GraphListener
from dfer_ros.graph.processes import GraphProcesses
from dfer_ros.graph.transport_profile import PROFILE_VARIABLES, transport_environment

_NAMESPACE = "/bench"
_WARM_UP_SECONDS = 4.0
_LATEST_ANSWER_SECONDS = 0.5
_NODES = ("face_detector_node", "dfer_node")


@dataclass(frozen=True)
class Scenario:
    """One load.

    shared_memory: whether every process gets config/fastdds_shm.xml. detector: parameters of the face detector that
    are not the defaults; MediaPipe misses most faces of a crowd, YuNet does not.
    """

    name: str
    faces: int
    width: int
    height: int
    shared_memory: bool
    seconds: float
    target: str
    detector: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class GraphResult:
    """What was measured after the warm-up.

    sent, answered: images sent, and those of them that got an EmotionArray with all faces in it.
    p50_ms, p95_ms, p99_ms: image stamp to arrival of the emotions. cpu_percent: both nodes, of one core.
    memory_mb: resident memory of both nodes at the end; memory_growth_mb: since the end of the warm-up.
    """

    sent: int
    answered: int
    answers_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_percent: float
    memory_mb: float
    memory_growth_mb: float


def scenarios(only: Sequence[str], seconds: float, soak_seconds: float, yunet_model: str) -> list[Scenario]:
    """Return the scenarios of these names, or all of them; raises DferError for a name that is not known."""
    crowd_detector = {"detector": "yunet", "yunet_model": yunet_model}
    every = [
        Scenario("one_face", 1, 640, 480, True, seconds, "all, p50 <= 9, p95 <= 14, CPU <= 30 %"),
        Scenario("one_face_default_transport", 1, 640, 480, False, seconds, "all, p95 <= 28"),
        Scenario("eight_faces", 8, 640, 480, True, seconds, "all, p95 <= 20"),
        Scenario("thirty_faces", 30, 1280, 720, True, seconds, "29 Hz", crowd_detector),
    ]
    if soak_seconds:
        every.append(Scenario("soak", 2, 640, 480, True, soak_seconds, "below 550 MB, flat"))
    unknown = sorted(set(only) - {scenario.name for scenario in every})
    if unknown:
        raise DferError(f"There is no scenario {', '.join(unknown)}: use {', '.join(s.name for s in every)}.")
    return [scenario for scenario in every if not only or scenario.name in only]


def measure_graph(scenario: Scenario, console: Console) -> GraphResult:
    """Run one scenario and return what was measured."""
    _set_profile(scenario.shared_memory)
    arrivals = _Arrivals(scenario.faces)
    with (
        tempfile.TemporaryDirectory() as folder,
        GraphProcesses(_NAMESPACE, lambda line: console.print(line, style="bright_black", soft_wrap=True)) as graph,
        GraphListener(_NAMESPACE, None, arrivals.add),
        Progress(console=console, transient=True) as progress,
    ):
        stamps = Path(folder) / "stamps"
        with _camera(scenario, stamps):
            for node in _NODES:
                graph.start_as_launched(node, scenario.detector if node == "face_detector_node" else {}, {})
            arrivals.wait_for_first()
            time.sleep(_WARM_UP_SECONDS)
            before = _Usage.of(graph)
            task = progress.add_task(scenario.name, total=scenario.seconds)
            while (elapsed := time.time() - before.time) < scenario.seconds:
                progress.update(task, completed=elapsed)
                time.sleep(0.2)
            after = _Usage.of(graph)
            time.sleep(_LATEST_ANSWER_SECONDS)
        sent = [int(line) for line in stamps.read_text(encoding="utf-8").splitlines()]
    return _result([stamp for stamp in sent if before.time <= stamp * 1e-9 < after.time], arrivals, before, after)


def _result(sent: Sequence[int], arrivals: _Arrivals, before: _Usage, after: _Usage) -> GraphResult:
    latencies = arrivals.latencies_ms(sent)
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)) if latencies else (np.nan,) * 3
    seconds = after.time - before.time
    return GraphResult(
        sent=len(sent),
        answered=len(latencies),
        answers_per_second=len(latencies) / seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        cpu_percent=100 * (after.cpu_seconds - before.cpu_seconds) / seconds,
        memory_mb=after.memory_mb,
        memory_growth_mb=after.memory_mb - before.memory_mb,
    )


@dataclass(frozen=True)
class _Usage:
    """What both nodes have used until a time: CPU in seconds, resident memory in megabytes."""

    time: float
    cpu_seconds: float
    memory_mb: float

    @classmethod
    def of(cls, graph: GraphProcesses) -> _Usage:
        processes = [psutil.Process(pid) for pid in graph.pids().values()]
        cpu = sum(sum(process.cpu_times()[:2]) for process in processes)
        return cls(time.time(), cpu, sum(process.memory_info().rss for process in processes) / 1e6)


class _Arrivals:
    """When the emotions came, by the stamp of their image in nanoseconds."""

    def __init__(self, faces: int) -> None:
        self._faces = faces
        self._arrived: dict[int, float] = {}
        self._first = threading.Event()

    def add(self, message: EmotionArray) -> None:
        now = time.time()
        if len(message.emotions) >= self._faces:
            self._arrived[message.header.stamp.sec * 10**9 + message.header.stamp.nanosec] = now
            self._first.set()

    def wait_for_first(self) -> None:
        if not self._first.wait(30.0):
            raise DferError(f"No emotions of {self._faces} faces within 30 s: see the lines of the nodes above.")

    def latencies_ms(self, sent: Sequence[int]) -> list[float]:
        return [1e3 * (self._arrived[stamp] - stamp * 1e-9) for stamp in sent if stamp in self._arrived]


@contextlib.contextmanager
def _camera(scenario: Scenario, stamps: Path) -> Iterator[None]:
    """Run the camera of a scenario; at the end it writes the stamps it sent, in nanoseconds."""
    arguments = ["--faces", scenario.faces, "--width", scenario.width, "--height", scenario.height]
    arguments += ["--stamps", stamps, "--ros-args", "-r", f"__ns:={_NAMESPACE}"]
    command = [sys.executable, "-m", "dfer_ros.bench.camera", *map(str, arguments)]
    camera = subprocess.Popen(command, start_new_session=True)
    try:
        yield
    finally:
        camera.send_signal(signal.SIGINT)
        camera.wait()


def _set_profile(shared_memory: bool) -> None:
    for variable in PROFILE_VARIABLES:
        os.environ.pop(variable, None)
    if shared_memory:
        os.environ.update(transport_environment())
