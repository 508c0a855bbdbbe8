"""What a scenario of `dfer bench faults` is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus

from dfer_ros.bench.load import Advance, Load
from dfer_ros.bench.running_graph import DETECTOR, NODES, BenchGraph
from dfer_ros.streams.stamps import FrameConfig

_LEAST_SHARE_ANSWERED = 0.9


@dataclass(frozen=True)
class Extent:
    """How much is done.

    scale: share of the full counts and durations; every scenario does a least amount of each kind. hours: of the long
    run. yunet_model: YuNet's file, or empty for where `dfer fetch yunet` puts it. say: gets every line of the nodes.
    processes: how many the nodes run in, one or two.
    """

    scale: float
    hours: float
    yunet_model: str
    processes: str
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
        f"median {load.age_ms(50):.0f}, p99 {load.age_ms(99):.0f}, oldest {load.age_ms(100):.0f} ms{_on_the_way(load)}",
        load.age_ms(100) <= limit_ms,
        timed=True,
    )


def _on_the_way(load: Load) -> str:
    """Return when the node published the oldest answer, where that is told, and how late Python had one at most."""
    if not load.answers:
        return ""
    oldest = max(load.answers, key=lambda answer: answer.age)
    latest = 1e3 * max(answer.latency for answer in load.answers)
    published = f", published after {1e3 * (oldest.published - oldest.stamp * 1e-9):.0f}" if oldest.published else ""
    return f"{published}; in Python after at most {latest:.0f}"


def latest_only(load: Load) -> Check:
    """Return the check that no image is answered after a newer one, nor twice."""
    skipped = len(load.sent) - len(load.answers)
    return Check(
        "newest image only: answers in order, none twice",
        f"{'in order' if load.in_order else 'out of order'}, {skipped} images skipped",
        load.in_order and len(load.answers) > 0,
    )


def drops_counted(graph: BenchGraph) -> Check:
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


def nothing_unexpected(graph: BenchGraph) -> Check:
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
