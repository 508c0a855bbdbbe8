"""A long video with faces that come and go: late answers, memory, threads and files of the nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import psutil

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.faults.check import (
    Check,
    Extent,
    bounded_latency,
    drops_counted,
    keeps_up,
    latest_only,
    nothing_unexpected,
)
from dfer_ros.bench.load import Advance, Usage, apply_load
from dfer_ros.bench.running_graph import NODES, BenchGraph

_CROWD = CameraSetting(faces=8, changing=True)
_OLDEST_MS = 200.0
_MOST_GROWTH = 0.02
_WARM_UP_SHARE, _LEAST_WARM_UP_SECONDS, _MOST_WARM_UP_SECONDS = 0.1, 3.0, 60.0
_SAMPLES_APART_SECONDS = 1.0


def long_run(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Run video at 30 Hz with one to eight faces and measure what both processes use."""
    seconds = 3600.0 * extent.hours
    warm_up = min(max(_WARM_UP_SHARE * seconds, _LEAST_WARM_UP_SECONDS), _MOST_WARM_UP_SECONDS)
    with BenchGraph(extent.say, way=extent.processes) as graph:
        graph.wait_for_faces(_CROWD)
        time.sleep(warm_up)
        processes = {node: psutil.Process(graph.pid(node)) for node in NODES}
        usages: dict[str, list[Usage]] = {node: [] for node in NODES}

        def measure_usage(share: float) -> None:
            advance(share)
            for node, process in processes.items():
                if not usages[node] or time.monotonic() - usages[node][-1].time >= _SAMPLES_APART_SECONDS:
                    usages[node].append(Usage.of(process))

        load = apply_load(graph, _CROWD, seconds, measure_usage)
        faces = sorted({answer.faces for answer in load.answers})
        yield Check("one to eight faces come and go", f"{faces[0]} to {faces[-1]} faces", faces[-1] == _CROWD.faces)
        yield keeps_up(load)
        yield bounded_latency(load, _OLDEST_MS)
        yield latest_only(load)
        yield memory_grows_little(usages)
        yield stays_the_same("threads", {node: [usage.threads for usage in usages[node]] for node in NODES})
        yield stays_the_same("file descriptors", {node: [usage.files for usage in usages[node]] for node in NODES})
        yield drops_counted(graph)
        yield nothing_unexpected(graph)


def memory_grows_little(usages: Mapping[str, Sequence[Usage]]) -> Check:
    """Return the check of the resident memory: the growth along a straight line through the samples."""
    grown = {node: _growth(samples) for node, samples in usages.items()}
    measured = ", ".join(
        f"{node} {100 * grown[node]:+.1f} % of {usages[node][0].memory / 1e6:.0f} MB" for node in usages
    )
    return Check(
        f"memory grows by less than {100 * _MOST_GROWTH:.0f} %",
        measured,
        max(grown.values()) < _MOST_GROWTH,
        timed=True,
    )


def stays_the_same(what: str, numbers: Mapping[str, Sequence[int]]) -> Check:
    """Return the check that a number is at the end what it was at the start; it may change for a moment."""
    tenths = {node: max(1, len(samples) // 10) for node, samples in numbers.items()}
    first = {node: int(np.median(samples[: tenths[node]])) for node, samples in numbers.items()}
    last = {node: int(np.median(samples[-tenths[node] :])) for node, samples in numbers.items()}
    measured = ", ".join(f"{node} {first[node]} to {last[node]}" for node in numbers)
    return Check(f"no growth of {what}", measured, all(last[node] <= first[node] for node in numbers))


def _growth(samples: Sequence[Usage]) -> float:
    """Return the growth of the memory over all samples as a share of the first one."""
    if len(samples) < 2:
        return 0.0
    times = np.array([sample.time - samples[0].time for sample in samples])
    slope = np.polyfit(times, [sample.memory for sample in samples], 1)[0]
    return float(slope * times[-1] / samples[0].memory)
