"""The graph under load: the real nodes and a camera as processes, timed from image stamp to emotion message."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from dfer_msgs.msg import EmotionArray
from dfer_ros.cli.graph_listener import GraphListener
from dfer_ros.cli.graph_processes import GraphProcesses
from dfer_ros.core.errors import DferError
from dfer_ros.core.transport_profile import PROFILE_VARIABLES, transport_environment

_NAMESPACE = "/bench"
_WARM_UP_SECONDS = 4.0
_RATE = 30.0
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
        GraphListener(_NAMESPACE, None, arrivals.add) as listener,
        Progress(console=console, transient=True) as progress,
    ):
        for node in _NODES:
            graph.start(node, scenario.detector if node == "face_detector_node" else {}, {})
        _wait_until_ready(listener, graph)
        processes = [psutil.Process(pid) for pid in graph.pids().values()]
        stamps_file = Path(folder) / "stamps"
        with _camera(scenario, stamps_file) as camera:
            arrivals.wait_for_first()
            time.sleep(_WARM_UP_SECONDS)
            start, cpu, memory = time.time(), _cpu_seconds(processes), _memory_mb(processes)
            task = progress.add_task(scenario.name, total=scenario.seconds)
            while time.time() < start + scenario.seconds:
                time.sleep(0.5)
                progress.update(task, completed=time.time() - start)
            end, cpu_used, memory_end = time.time(), _cpu_seconds(processes) - cpu, _memory_mb(processes)
            time.sleep(0.5)
            camera.send_signal(2)
            camera.wait()
        stamps = [int(line) for line in stamps_file.read_text(encoding="utf-8").splitlines()]
    sent = [stamp for stamp in stamps if start <= stamp * 1e-9 < end]
    latencies = arrivals.latencies_ms(sent)
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)) if latencies else (np.nan,) * 3
    return GraphResult(
        sent=len(sent),
        answered=len(latencies),
        answers_per_second=len(latencies) / (end - start),
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        cpu_percent=100 * cpu_used / (end - start),
        memory_mb=memory_end,
        memory_growth_mb=memory_end - memory,
    )


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


def _camera(scenario: Scenario, stamps: Path) -> subprocess.Popen[bytes]:
    count = round(_RATE * (scenario.seconds + 60))
    arguments = ["--faces", scenario.faces, "--width", scenario.width, "--height", scenario.height]
    arguments += ["--rate", _RATE, "--count", count, "--stamps", stamps, "--ros-args", "-r", f"__ns:={_NAMESPACE}"]
    command = [sys.executable, "-m", "dfer_ros.cli.bench_camera", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)


def _wait_until_ready(listener: GraphListener, graph: GraphProcesses) -> None:
    deadline = time.monotonic() + 30.0
    while listener.listeners("image") < 1 or listener.listeners("faces") < 1:
        if graph.ended() or time.monotonic() > deadline:
            raise DferError("The nodes did not start: see their lines above.")
        time.sleep(0.05)


def _set_profile(shared_memory: bool) -> None:
    for variable in PROFILE_VARIABLES:
        os.environ.pop(variable, None)
    if shared_memory:
        os.environ.update(transport_environment())


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _memory_mb(processes: Sequence[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 1e6
