"""The graph under load: the real nodes and a camera as processes, timed from image stamp to emotion message."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.load import Load, Usage, apply_load
from dfer_ros.bench.running_graph import ONE, TWO, WAYS, BenchGraph
from dfer_ros.core.errors import DferError
from dfer_ros.graph.processes import PROFILE_VARIABLES

_WARM_UP_SECONDS = 4.0


@dataclass(frozen=True)
class Scenario:
    """One load.

    shared_memory: whether every process gets config/fastdds_shm.xml. detector: parameters of the face detector that
    are not the defaults; MediaPipe misses most faces of a crowd, YuNet does not. ways: those of WAYS that are measured.
    cameras: how many there are, each with images and a detector of its own; several in one process only.
    """

    name: str
    faces: int
    width: int
    height: int
    shared_memory: bool
    seconds: float
    target: str
    detector: Mapping[str, object] = field(default_factory=dict)
    rate: float = 30.0
    ways: tuple[str, ...] = (ONE, TWO)
    cameras: int = 1


@dataclass(frozen=True)
class GraphResult:
    """What was measured of one way of a scenario, after the warm-up.

    sent, answered: images sent, and those of them that got an EmotionArray with all faces in it.
    p50_ms, p95_ms, p99_ms: image stamp to emotions in a subscriber in Python. cpu_percent: all nodes, of one core.
    start_seconds: from the start of the processes to the first emotion; the camera runs before.
    memory_mb: resident memory of all nodes at the end; memory_growth_mb: since the end of the warm-up.
    """

    way: str
    sent: int
    answered: int
    answers_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_percent: float
    memory_mb: float
    memory_growth_mb: float
    start_seconds: float


def scenarios(only: Sequence[str], seconds: float, soak_seconds: float, yunet_model: str) -> list[Scenario]:
    """Return the scenarios of these names, or all of them; raises DferError for a name that is not known."""
    crowd_detector = {"detector": "yunet", "yunet_model": yunet_model}
    every = [
        Scenario(
            "one_face", 1, 640, 480, True, seconds, "all, p50 <= 5, p95 <= 7, CPU <= 12 %, 330 MB", ways=tuple(WAYS)
        ),
        Scenario("one_face_default_transport", 1, 640, 480, False, seconds, "all, p95 <= 17"),
        Scenario("one_face_yunet", 1, 640, 480, True, seconds, "all, p50 <= 5, p95 <= 7", crowd_detector),
        Scenario("eight_faces", 8, 640, 480, True, seconds, "all, p95 <= 9, CPU <= 25 %"),
        Scenario("thirty_faces", 30, 1280, 720, True, seconds, "all", crowd_detector),
        Scenario("fifty_faces", 50, 1280, 720, True, seconds, "all, p95 <= 33", {**crowd_detector, "yunet_width": 640}),
        Scenario("one_face_4k", 1, 3840, 2160, True, seconds, "all, p50 <= 25", rate=10.0),
        Scenario("four_cameras", 1, 640, 480, True, seconds, "all, p95 <= 20", rate=15.0, ways=(ONE,), cameras=4),
    ]
    if soak_seconds:
        every.append(Scenario("soak", 2, 640, 480, True, soak_seconds, "below 550 MB, flat"))
    unknown = sorted(set(only) - {scenario.name for scenario in every})
    if unknown:
        raise DferError(f"There is no scenario {', '.join(unknown)}: use {', '.join(s.name for s in every)}.")
    return [scenario for scenario in every if not only or scenario.name in only]


def measure_graph(scenario: Scenario, way: str, console: Console) -> GraphResult:
    """Run one scenario in one way and return what was measured.

    Raises DferError where not all faces are answered at first.
    """
    for variable in PROFILE_VARIABLES:
        os.environ.pop(variable, None)
    setting = CameraSetting(scenario.rate, scenario.faces, scenario.width, scenario.height, cameras=scenario.cameras)
    usages: list[list[Usage]] = []
    with (
        BenchGraph(
            lambda line: console.print(line, style="bright_black", soft_wrap=True),
            scenario.detector,
            shared_memory=scenario.shared_memory,
            way=way,
            shown=setting,
        ) as graph,
        Progress(console=console, transient=True) as progress,
    ):
        graph.wait_for_faces(setting)
        start_seconds = next(one.taken for one in graph.answers if one.faces >= scenario.faces) - graph.started
        time.sleep(_WARM_UP_SECONDS)
        processes = [psutil.Process(pid) for pid in graph.processes.pids().values()]
        task = progress.add_task(f"{scenario.name}, {way}", total=1.0)

        def advance(share: float) -> None:
            progress.update(task, completed=share)
            usages.append([Usage.of(process) for process in processes])

        load = apply_load(graph, setting, scenario.seconds, advance)
    return _result(way, load, usages[0], usages[-1], start_seconds)


def _result(way: str, load: Load, before: Sequence[Usage], after: Sequence[Usage], start_seconds: float) -> GraphResult:
    answers = [answer for answer in load.answers if answer.faces >= load.setting.faces]
    latencies = [1e3 * answer.latency for answer in answers]
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)) if latencies else (np.nan,) * 3
    memory = sum(usage.memory for usage in after)
    return GraphResult(
        way=way,
        sent=len(load.sent),
        answered=len(answers),
        answers_per_second=len(answers) / load.seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        cpu_percent=sum(100 * (end.cpu - start.cpu) / (end.time - start.time) for start, end in zip(before, after)),
        memory_mb=memory / 1e6,
        memory_growth_mb=(memory - sum(usage.memory for usage in before)) / 1e6,
        start_seconds=start_seconds,
    )
