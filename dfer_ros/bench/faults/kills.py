"""Nodes that are killed and started again: how soon the graph answers, and what the dead ones leave behind."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.faults.check import Check, Extent, nothing_unexpected, one_after_another
from dfer_ros.bench.load import Advance
from dfer_ros.bench.running_graph import NODES, NOTHING, BenchGraph
from dfer_ros.ros.waiting import wait_until

_LOAD = CameraSetting(faces=1)
_SECONDS_TO_ANSWER = 3.0
_PATIENCE_SECONDS = 30.0
_LONGEST_REST_SECONDS = 1.0
_TOPICS = ("faces", "emotions")
_LEASE_SECONDS = 10.0
"""After this Fast DDS gives up a participant that is silent: config/fastdds_shm.xml says so."""
_LOCK_SUFFIX = "_el"
_PORT = "fastdds_port"


def kills(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Kill either node and start it again at once, over and over."""
    count = extent.count(50, 2)
    chance = random.Random(4)
    delays: list[float] = []
    left: set[Path] = set()
    with BenchGraph(extent.say, way=extent.processes) as graph:
        graph.wait_for_faces(_LOAD)
        for index in one_after_another(count, advance):
            time.sleep(_LONGEST_REST_SECONDS * chance.random())
            node = NODES[index % 2] if index < 2 else chance.choice(NODES)
            left |= shared_memory_of(graph.pid(node))
            killed = time.time()
            graph.kill(node)
            graph.start(node)
            answer = graph.wait_for_answer_after(killed, _PATIENCE_SECONDS)
            delays.append(_PATIENCE_SECONDS if answer is None else answer.arrived - killed)
        yield Check(
            f"after each of {count} kills the graph answers within {_SECONDS_TO_ANSWER:.0f} s",
            f"median {statistics.median(delays):.2f} s, longest {max(delays):.2f} s",
            max(delays) <= _SECONDS_TO_ANSWER,
            timed=True,
        )
        answered = sum(delay < _PATIENCE_SECONDS for delay in delays)
        yield Check("and always answers again", f"{answered} of {count}", answered == count)
        yield _no_stale_publisher(graph)
        graph.camera.show(NOTHING)
        yield nothing_unexpected(graph)
    yield nothing_left(left)


def _no_stale_publisher(graph: BenchGraph) -> Check:
    names = [graph.node.resolve_topic_name(topic) for topic in _TOPICS]
    start = time.monotonic()
    most = max(graph.node.count_publishers(name) for name in names)
    gone = wait_until(lambda: all(graph.node.count_publishers(name) == 1 for name in names), _LEASE_SECONDS + 10.0)
    return Check(
        f"no stale publisher after the lease of the dead, {_LEASE_SECONDS:.0f} s",
        f"{most - 1} at first, none after {time.monotonic() - start:.0f} s" if gone else "one stays",
        gone,
    )


def shared_memory_of(pid: int) -> set[Path]:
    """Return the lock files of the shared memory that a process owns: it keeps them open."""
    opened = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = descriptor.readlink()
        except OSError:  # closed by now
            continue
        if target.parent == Path("/dev/shm") and target.name.endswith(_LOCK_SUFFIX):
            opened.add(target)
    return opened


def nothing_left(locks: set[Path]) -> Check:
    """Return the check that the shared memory of dead processes is gone; ports are used again by the next."""
    segments = [lock for lock in locks if not lock.name.startswith(_PORT) and lock.exists()]
    ports = {lock for lock in locks if lock.name.startswith(_PORT)}
    size = sum(_size(lock) for lock in segments)
    return Check(
        "no shared memory of the dead is left",
        f"{len(segments)} segments, {size / 1e6:.1f} MB; they shared {len(ports)} ports",
        not segments,
    )


def _size(lock: Path) -> int:
    segment = lock.with_name(lock.name.removesuffix(_LOCK_SUFFIX))
    return segment.stat().st_size if segment.exists() else 0
