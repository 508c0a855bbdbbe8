"""What a scenario of `dfer bench faults` is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dfer_ros.bench.faults.graph import FaultGraph

Advance = Callable[[float], None]
"""Shows how far a scenario is, 0..1."""


@dataclass(frozen=True)
class Extent:
    """How much is done.

    scale: share of the full counts and durations; every scenario does a least amount of each kind. hours: of the long
    run. yunet_model: YuNet's file, or empty for where `dfer fetch yunet` puts it. say: gets every line of the nodes.
    """

    scale: float
    hours: float
    yunet_model: str
    say: Callable[[str], object]

    def count(self, full: int, least: int) -> int:
        """Return how often something is done."""
        return max(least, round(self.scale * full))

    def seconds(self, full: float, least: float) -> float:
        """Return how long something is done."""
        return max(least, self.scale * full)


@dataclass(frozen=True)
class Check:
    """One demand on a scenario.

    timed: whether it is about speed, or tells something after a long time only: a computer that is busy with something
    else, or a run that is short, may fail it.
    """

    asked: str
    measured: str
    passed: bool
    timed: bool = False


def nothing_unexpected(graph: FaultGraph) -> Check:
    """Return the check that both nodes live and logged no error that nobody thought of."""
    unexpected = graph.unexpected()
    return Check("both nodes live, no unexpected error", unexpected[0] if unexpected else "yes", not unexpected)


def one_after_another(count: int, advance: Advance) -> Iterator[int]:
    """Yield the numbers below count and show how far they are."""
    for index in range(count):
        advance(index / count)
        yield index


def part_of(advance: Advance, index: int, count: int) -> Advance:
    """Return what shows how far one of several equal parts is."""
    return lambda share: advance((index + share) / count)
