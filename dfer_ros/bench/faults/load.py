"""The graph under a load of images: what was answered, how old the answers were, and whether all are accounted for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from dfer_ros.bench.faults.camera import CameraSetting
from dfer_ros.bench.faults.check import Advance, Check
from dfer_ros.bench.faults.graph import DETECTOR, NODES, NOTHING, Answer, FaultGraph
from dfer_ros.streams.stamps import FrameConfig

_SETTLE_SECONDS = 1.0
"""Longer than anything that is not queued takes."""
_POLL_SECONDS = 0.1
_LEAST_SHARE_ANSWERED = 0.9


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


def apply_load(graph: FaultGraph, setting: CameraSetting, seconds: float, advance: Advance) -> Load:
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


def keeps_up(load: Load) -> Check:
    """Return the check that the camera's rate, or the most that the nodes were told to do, is reached."""
    wanted = min(load.setting.rate, FrameConfig.frame_rate, len(load.sent) / load.seconds)
    return Check(
        f"{100 * _LEAST_SHARE_ANSWERED:.0f} % of {min(load.setting.rate, FrameConfig.frame_rate):.0f} Hz is answered",
        f"{load.rate:.1f} Hz, {len(load.answers)} of {len(load.sent)} images",
        load.rate >= _LEAST_SHARE_ANSWERED * wanted,
        timed=True,
    )


def bounded_latency(load: Load, limit_ms: float) -> Check:
    """Return the check that no answer is older than a limit."""
    return Check(
        f"no answer older than {limit_ms:.0f} ms",
        f"median {load.age_ms(50):.0f}, p99 {load.age_ms(99):.0f}, oldest {load.age_ms(100):.0f} ms",
        load.age_ms(100) <= limit_ms,
        timed=True,
    )


def latest_only(load: Load) -> Check:
    """Return the check that no image is answered after a newer one, nor twice."""
    skipped = len(load.sent) - len(load.answers)
    return Check(
        "newest image only: answers in order, none twice",
        f"{'in order' if load.in_order else 'out of order'}, {skipped} images skipped",
        load.in_order and len(load.answers) > 0,
    )


def drops_counted(graph: FaultGraph) -> Check:
    """Return the check that /diagnostics accounts for every image that came to a node since it started."""
    healths = graph.fresh_healths()
    counts = {node: _counts(healths[node]) for node in NODES}
    lost = len(graph.camera.sent) - counts[DETECTOR][0]
    measured = "; ".join(f"{took} = {did} + {dropped}" for took, did, dropped in counts.values())
    return Check(
        "every image that came is counted: in = done + dropped",
        f"{measured} ({lost} never came)" if lost else measured,
        all(took == did + dropped for took, did, dropped in counts.values()) and counts[DETECTOR][0] > 0,
    )


def _counts(status: DiagnosticStatus) -> tuple[int, int, int]:
    """Return how many frames came in, were processed and were dropped."""
    found = values(status)
    return int(found["frames in"]), int(found["frames processed"]), int(found["frames dropped"])


def values(status: DiagnosticStatus) -> Mapping[str, str]:
    """Return the values of a status by key."""
    return {pair.key: pair.value for pair in status.values}
