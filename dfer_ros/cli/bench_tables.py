"""The results of `dfer bench` for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

# The bench of the graph needs ROS, that of peers more; each is there only when it is asked for.
if TYPE_CHECKING:
    from dfer_ros.bench.detectors import DetectorResult
    from dfer_ros.bench.encoder import EncoderResult
    from dfer_ros.bench.following import FollowingResult
    from dfer_ros.bench.graph import GraphResult, Scenario
    from dfer_ros.bench.peers import PeerResult
    from dfer_ros.bench.streaming import StreamingResult


def encoder_table(model: str, results: Iterable[EncoderResult]) -> Table:
    """Return the table of `dfer bench encoder`."""
    table = _table(f"encoder {model}, one thread, CPU", (), ("precision", "batch", "ms per batch", "ms per crop"))
    table.add_column("times FP32's speed", justify="right")
    for result in results:
        per_crop = result.batch_ms / result.batch
        table.add_row(
            result.precision,
            str(result.batch),
            f"{result.batch_ms:.2f}",
            f"{per_crop:.2f}",
            f"{result.speed_up:.2f}",
        )
    return table


def streaming_table(model: str, results: Sequence[StreamingResult]) -> Table:
    """Return the table of `dfer bench streaming`."""
    title = f"one answer of {model} {results[0].precision}, encoder and head, one thread, CPU"
    headings = ("persons", "crops encoded", "ms", "times streaming's time", "CPU % of a core at 30 Hz")
    table = _table(title, ("way",), headings)
    for result in results:
        table.add_row(
            result.way,
            str(result.persons),
            str(result.encoded),
            f"{result.ms:.2f}",
            f"{result.times:.1f}",
            f"{result.cpu_percent:.0f}",
        )
    return table


def detectors_table(results: Iterable[DetectorResult]) -> Table:
    """Return the table of `dfer bench detectors`."""
    table = _table(
        "detectors, one thread, CPU", ("scene", "detector"), ("found", "no face", "ms", "times the first one's time")
    )
    scene = ""
    for result in results:
        if result.scene != scene and scene:
            table.add_section()
        name = "" if result.scene == scene else result.scene
        scene = result.scene
        if result.ms is None or result.times is None:
            table.add_row(name, result.detector, Text(result.problem, style="bright_black"))
            continue
        missed = result.found < result.faces
        table.add_row(
            name,
            result.detector,
            Text(f"{result.found}/{result.faces}", style="red" if missed else ""),
            Text(str(result.false), style="red" if result.false else ""),
            f"{result.ms:.1f}",
            f"{result.times:.1f}",
        )
    return table


def following_table(results: Iterable[FollowingResult]) -> Table:
    """Return the table of `dfer bench following`."""
    headings = (
        "frames",
        "whole looks",
        "faces found",
        "landmarks off",
        "ids",
        "same expression",
        "ms",
        "ms of whole looks",
    )
    table = _table(
        "followed faces against a look at the whole image at every frame; landmarks in distances of the eyes",
        ("detector", "recording"),
        headings,
    )
    for result in results:
        table.add_row(
            result.detector,
            result.name if result.recordings == 1 else f"{result.recordings} {result.name}",
            str(result.frames),
            f"{result.full_looks / result.frames:.0%}",
            f"{result.found}/{result.expected}",
            f"{result.landmark_error:.2%}",
            f"{result.ids}, of whole looks {result.ids_expected}",
            f"{result.agreed / max(1, result.found):.2%}",
            f"{1e3 * result.seconds / result.frames:.2f}",
            f"{1e3 * result.seconds_expected / result.frames:.2f}",
        )
    return table


def peers_table(results: Iterable[PeerResult]) -> Table:
    """Return the table of `dfer bench peers`."""
    headings = ("ms per face", "times the first one's time", "changes of label a minute", "smiles named happy")
    table = _table("models on the faces of the made clip, one thread, CPU", ("model", "sees"), headings)
    for result in results:
        sees = "a window" if result.temporal else "one frame"
        if result.ms is None or result.times is None or result.changes_per_minute is None or result.smiles is None:
            table.add_row(result.model, sees, Text(result.problem, style="bright_black"))
            continue
        table.add_row(
            result.model,
            sees,
            f"{result.ms:.2f}",
            f"{result.times:.2f}",
            f"{result.changes_per_minute:.1f}",
            f"{result.smiles:.1%}",
        )
    return table


def graph_table(results: Sequence[tuple[Scenario, GraphResult]]) -> Table:
    """Return the table of `dfer bench graph`; in brackets the times of what the last way of a scenario takes."""
    headings = ("answered", "p50 ms", "p95 ms", "p99 ms", "CPU % of a core", "MB", "MB grown", "s to the first answer")
    table = _table("graph: image stamp to emotion message", ("scenario", "way"), headings)
    table.add_column("target")
    last = {scenario.name: result for scenario, result in results}
    shown = ""
    for scenario, result in results:
        if scenario.name != shown and shown:
            table.add_section()
        first, shown = scenario.name != shown, scenario.name
        other = last[scenario.name]
        table.add_row(
            scenario.name if first else "",
            result.way,
            f"{result.answered}/{result.sent}",
            _with_ratio(result.p50_ms, other.p50_ms),
            _with_ratio(result.p95_ms, other.p95_ms),
            f"{result.p99_ms:.1f}",
            _with_ratio(result.cpu_percent, other.cpu_percent),
            f"{result.memory_mb:.0f}",
            f"{result.memory_growth_mb:+.1f}",
            f"{result.start_seconds:.1f}",
            scenario.target if first else "",
        )
    return table


_WORSE = 1.1
"""Ratio from which a figure is called worse than before: less comes and goes with the load of the machine."""


def graph_comparison(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Table:
    """Return what became of the figures of an earlier run of `dfer bench graph`, as ratios to it."""
    figures = {"p50_ms": "p50", "p95_ms": "p95", "cpu_percent": "CPU", "memory_mb": "memory", "start_seconds": "start"}
    table = _table("times the figures before; red: worse", ("scenario", "way"), figures.values())
    earlier = {(record["name"], record["way"]): record for record in before}
    for record in now:
        old = earlier.get((record["name"], record["way"]))
        if old is None:
            continue
        ratios = [record[name] / old[name] if old.get(name) else float("nan") for name in figures]
        cells = [Text(f"{ratio:.2f}", style="red" if ratio > _WORSE else "") for ratio in ratios]
        table.add_row(record["name"], record["way"], *cells)
    return table


def _with_ratio(value: float, other: float) -> str:
    return f"{value:.1f}" if value == other else f"{value:.1f} ({value / other:.2f})"


def _table(title: str, words: Iterable[str], figures: Iterable[str]) -> Table:
    """Return a table with columns of words, then of figures."""
    table = Table(title=title, title_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table
