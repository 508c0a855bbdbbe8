"""The graph under a load of images: what was answered, how old the answers were, and what the nodes used."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.running_graph import NOTHING, Answer, BenchGraph

Advance = Callable[[float], None]
"""Shows how far a load or a scenario is, 0..1."""
_SETTLE_SECONDS = 1.0
"""Longer than anything that is not queued takes."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Usage:
    """What a process holds and has used at a time (seconds).

    memory: resident, in bytes. cpu: seconds that it has computed. threads, files: how many it has, of these open ones.
    """

    time: float
    memory: int
    cpu: float
    threads: int
    files: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Return what a process holds now."""
        with process.oneshot():
            cpu = sum(process.cpu_times()[:2])
            return cls(time.monotonic(), process.memory_info().rss, cpu, process.num_threads(), process.num_fds())


@dataclass(frozen=True)
class Load:
    """What became of the images of a load.

    sent: their stamps in nanoseconds. answers: those to them, as they came. seconds: how long it lasted.
    """

    setting: CameraSetting
    seconds: float
    sent: Sequence[int]
    answers: Sequence[Answer]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    @property
    def in_order(self) -> bool:
        """Whether no answer came after that to a newer image, and none twice."""
        stamps = [answer.stamp for answer in self.answers]
        return all(earlier < later for earlier, later in itertools.pairwise(stamps))

    def age_ms(self, percentile: float) -> float:
        """Return a percentile of the ages of the answers in milliseconds; 100: the oldest."""
        if not self.answers:
            return np.inf
        return 1e3 * float(np.percentile([answer.age for answer in self.answers], percentile))


def apply_load(graph: BenchGraph, setting: CameraSetting, seconds: float, advance: Advance) -> Load:
    """Have the camera send for a time, then nothing, and return what became of it."""
    first_sent, first_answer = len(graph.camera.sent), len(graph.answers)
    graph.camera.show(setting)
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        advance(elapsed / seconds)
        time.sleep(_POLL_SECONDS)
    graph.camera.show(NOTHING)
    elapsed = time.monotonic() - start
    time.sleep(_SETTLE_SECONDS)
    sent = graph.camera.sent[first_sent:]
    mine = set(sent)
    return Load(setting, elapsed, sent, [answer for answer in graph.answers[first_answer:] if answer.stamp in mine])
