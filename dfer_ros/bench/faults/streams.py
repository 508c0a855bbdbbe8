"""Cameras of every kind: slow, fast, stalled, of another size, with a crowd, and beside others that take every core."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.faults.check import (
    Check,
    Extent,
    bounded_latency,
    drops_counted,
    keeps_up,
    latest_only,
    nothing_unexpected,
    part_of,
)
from dfer_ros.bench.load import Advance, apply_load
from dfer_ros.bench.running_graph import DETECTOR, NOTHING, BenchGraph

_RATES = (5.0, 15.0, 60.0, 120.0)
_SIZES = ((640, 480), (1280, 720), (320, 240), (640, 480))
_TWO_FACES = CameraSetting(faces=2)
_FOUR_K = CameraSetting(rate=10.0, faces=2, width=3840, height=2160)
_FIFTY_FACES = CameraSetting(rate=15.0, faces=50, width=1280, height=720)
_SMALL_FACES = {"detector": "yunet", "yunet_width": 800}
"""MediaPipe misses small faces, and so does YuNet in an image scaled down to its default width."""
_LIMIT_MS = 200.0
_HEAVY_LIMIT_MS = 1000.0
"""Of loads that may be too much for a computer: late, but never later and later."""
_PATIENCE_SECONDS = 10.0
_MOST_EXTRA_SECONDS = 60.0
_BURN = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"


def camera(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Do to one graph what cameras and other processes do."""
    parts = (_rates, _stalls, _sizes, _four_k, _busy_cores)
    with BenchGraph(extent.say, way=extent.processes) as graph:
        graph.wait_for_faces(_TWO_FACES)
        for index, part in enumerate(parts):
            yield from part(graph, extent, part_of(advance, index, len(parts)))
        yield drops_counted(graph)
        yield nothing_unexpected(graph)


def crowd(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Show fifty faces at once."""
    with BenchGraph(extent.say, {**_SMALL_FACES, "yunet_model": extent.yunet_model}, way=extent.processes) as graph:
        graph.wait_for_faces(_FIFTY_FACES)
        load = apply_load(graph, _FIFTY_FACES, extent.seconds(60.0, 2.0), advance)
        most = max((answer.faces for answer in load.answers), default=0)
        yield Check("50 faces in an image are answered", f"{most} faces", most >= _FIFTY_FACES.faces)
        yield bounded_latency(load, _HEAVY_LIMIT_MS)
        yield latest_only(load)
        yield drops_counted(graph)
        yield nothing_unexpected(graph)


def _rates(graph: BenchGraph, extent: Extent, advance: Advance) -> Iterator[Check]:
    """Send at 5 to 120 Hz."""
    seconds = extent.seconds(60.0, 1.0)
    for index, rate in enumerate(_RATES):
        load = apply_load(graph, replace(_TWO_FACES, rate=rate), seconds, part_of(advance, index, len(_RATES)))
        for check in (keeps_up(load), bounded_latency(load, _LIMIT_MS), latest_only(load)):
            yield replace(check, asked=f"{rate:.0f} Hz: {check.asked}")


def _stalls(graph: BenchGraph, extent: Extent, advance: Advance) -> Iterator[Check]:
    """Send nothing for up to ten seconds and go on."""
    stalls, seconds = extent.count(10, 1), min(10.0, extent.seconds(100.0, 2.0))
    ages, named = [], 0
    for index in range(stalls):
        advance(index / stalls)
        graph.wait_for_faces(_TWO_FACES)
        graph.camera.show(NOTHING)
        time.sleep(seconds)
        named += "No frame" in graph.fresh_healths()[DETECTOR].message
        ages.append(_first_age(graph))
    counted = f"{named} of {stalls}"
    yield Check(f"stalls of {seconds:.0f} s are named in /diagnostics", counted, named == stalls)
    yield Check(
        f"after a stall the first answer is at most {_LIMIT_MS:.0f} ms old",
        f"{1e3 * max(ages):.0f} ms",
        1e3 * max(ages) <= _LIMIT_MS,
        timed=True,
    )


def _sizes(graph: BenchGraph, extent: Extent, advance: Advance) -> Iterator[Check]:
    """Change the size of the images in mid-stream."""
    found = []
    for index, (width, height) in enumerate(_SIZES):
        advance(index / len(_SIZES))
        graph.wait_for_faces(replace(_TWO_FACES, width=width, height=height))
        found.append(f"{width}x{height}")
        time.sleep(extent.seconds(10.0, 0.3))
    graph.camera.show(NOTHING)
    yield Check("sizes change in mid-stream: both faces are found at each", ", ".join(found), True)


def _four_k(graph: BenchGraph, extent: Extent, advance: Advance) -> Iterator[Check]:
    """Send large images."""
    graph.wait_for_faces(_FOUR_K)
    load = apply_load(graph, _FOUR_K, extent.seconds(60.0, 1.0), advance)
    for check in (bounded_latency(load, _HEAVY_LIMIT_MS), latest_only(load)):
        yield replace(check, asked=f"4K: {check.asked}")


def _busy_cores(graph: BenchGraph, extent: Extent, advance: Advance) -> Iterator[Check]:
    """Have other processes take every core, then let go."""
    seconds = extent.seconds(60.0, 2.0)
    graph.wait_for_faces(_TWO_FACES)
    with _burners(seconds + _MOST_EXTRA_SECONDS):
        load = apply_load(graph, _TWO_FACES, seconds, advance)
    age = _first_age(graph)
    for check in (bounded_latency(load, _HEAVY_LIMIT_MS), latest_only(load)):
        yield replace(check, asked=f"every core busy: {check.asked}")
    yield Check(
        f"every core free again: the first answer is at most {_LIMIT_MS:.0f} ms old",
        f"{1e3 * age:.0f} ms",
        1e3 * age <= _LIMIT_MS,
        timed=True,
    )


def _first_age(graph: BenchGraph) -> float:
    """Show faces after a pause, then none again, and return the age of the first answer in seconds."""
    start = time.time()
    graph.camera.show(_TWO_FACES)
    answer = graph.wait_for_answer_after(start, _PATIENCE_SECONDS)
    graph.camera.show(NOTHING)
    return _PATIENCE_SECONDS if answer is None else answer.age


@contextlib.contextmanager
def _burners(most_seconds: float) -> Iterator[None]:
    """Keep every core busy; each process ends by itself, should nobody end it."""
    command = [sys.executable, "-c", _BURN, str(most_seconds)]
    burners = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
