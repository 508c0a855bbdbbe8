"""The results of `dfer bench` for a person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dfer_ros.text.tables import Cell, Column, Row, Table, table_of

# The bench of the graph needs ROS, that of peers more; each is there only when it is asked for.
if TYPE_CHECKING:
    from dfer_ros.bench.detectors import DetectorResult
    from dfer_ros.bench.encoder import EncoderResult
    from dfer_ros.bench.faults.scenarios import ScenarioResult
    from dfer_ros.bench.following import FollowingResult
    from dfer_ros.bench.graph import GraphResult, Scenario
    from dfer_ros.bench.heads import HeadResult
    from dfer_ros.bench.peers import PeerResult
    from dfer_ros.bench.stages import StageResult
    from dfer_ros.bench.streaming import StreamingResult


def encoder_table(model: str, results: Iterable[EncoderResult]) -> Table:
    """Return the table of `dfer bench encoder`."""
    headings = ("precision", "batch", "ms per batch", "ms per crop", "times FP32's speed")
    rows = [
        (
            result.precision,
            str(result.batch),
            f"{result.batch_ms:.2f}",
            f"{result.batch_ms / result.batch:.2f}",
            f"{result.speed_up:.2f}",
        )
        for result in results
    ]
    return table_of(headings, rows, words=0, title=f"encoder {model}, one thread, CPU")


def streaming_table(model: str, results: Sequence[StreamingResult]) -> Table:
    """Return the table of `dfer bench streaming`."""
    headings = ("way", "persons", "crops encoded", "ms", "times streaming's time", "CPU % of a core at 30 Hz")
    rows = [
        (
            result.way,
            str(result.persons),
            str(result.encoded),
            f"{result.ms:.2f}",
            f"{result.times:.1f}",
            f"{result.cpu_percent:.0f}",
        )
        for result in results
    ]
    title = f"one answer of {model} {results[0].precision}, encoder and head, one thread, CPU"
    return table_of(headings, rows, title=title)


def detectors_table(results: Iterable[DetectorResult]) -> Table:
    """Return the table of `dfer bench detectors`."""
    headings = ("scene", "detector", "found", "no face", "ms", "times the first one's time")
    rows: list[Row | None] = []
    for scene, of_scene in groupby(results, key=lambda result: result.scene):
        rows += [None] if rows else []
        rows += [_detector_row("" if index else scene, result) for index, result in enumerate(of_scene)]
    return table_of(headings, rows, words=2, title="detectors, one thread, CPU")


def _detector_row(scene: str, result: DetectorResult) -> Row:
    if result.ms is None or result.times is None:
        return scene, result.detector, Cell(result.problem, "bright_black")
    return (
        scene,
        result.detector,
        Cell(f"{result.found}/{result.faces}", "red" if result.found < result.faces else ""),
        Cell(str(result.false), "red" if result.false else ""),
        f"{result.ms:.1f}",
        f"{result.times:.1f}",
    )


def following_table(results: Iterable[FollowingResult]) -> Table:
    """Return the table of `dfer bench following`."""
    headings = (
        "detector",
        "recording",
        "frames",
        "whole looks",
        "faces found",
        "landmarks off",
        "ids",
        "same expression",
        "ms",
        "ms of whole looks",
    )
    rows = [
        (
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
        for result in results
    ]
    title = "followed faces against a look at the whole image at every frame; landmarks in distances of the eyes"
    return table_of(headings, rows, words=2, title=title)


def heads_table(results: Iterable[HeadResult]) -> Table:
    """Return the table of `dfer bench heads`."""
    headings = (
        "detector",
        "yaw, degrees",
        "told",
        "yaw off",
        "pitch off",
        "roll off",
        "distance off",
        "ms per face",
        "times the detector's",
    )
    rows = [_head_row(result) for result in results]
    title = "poses of rendered heads: degrees off, the median, and what nine of ten stay under"
    return table_of(headings, rows, words=2, title=title)


def _head_row(result: HeadResult) -> Row:
    if result.ms is None or result.times is None:
        return result.detector, Cell(result.problem, "bright_black")
    least, most = result.yaw_range
    return (
        result.detector,
        f"{least} to {most}",
        f"{result.found}/{result.heads}",
        f"{result.yaw:.1f}, {result.yaw_90:.1f}",
        f"{result.pitch:.1f}, {result.pitch_90:.1f}",
        f"{result.roll:.1f}, {result.roll_90:.1f}",
        f"{result.distance:.1%}",
        f"{result.ms:.1f}",
        f"{result.times:.1f}",
    )


def stages_table(results: Iterable[StageResult]) -> Table:
    """Return the table of `dfer bench stages`."""
    headings = ("faces", "stage", "done in", "ms when done", "ms an image")
    rows: list[Row | None] = []
    for faces, of_faces in groupby(results, key=lambda result: result.faces):
        rows += [None] if rows else []
        rows += [
            (
                "" if index else str(faces),
                result.stage,
                f"{result.share:.0%}",
                f"{result.ms:.2f}",
                f"{result.ms_per_image:.2f}",
            )
            for index, result in enumerate(of_faces)
        ]
    return table_of(headings, rows, words=2, title="CPU time of an image of 640x480, one thread: median, and mean")


def peers_table(results: Iterable[PeerResult]) -> Table:
    """Return the table of `dfer bench peers`."""
    headings = (
        "model",
        "sees",
        "ms per face",
        "times the first one's time",
        "changes of label a minute",
        "smiles named happy",
    )
    title = "models on the faces of the made clip, one thread, CPU"
    return table_of(headings, [_peer_row(result) for result in results], words=2, title=title)


def _peer_row(result: PeerResult) -> Row:
    sees = "a window" if result.temporal else "one frame"
    if result.ms is None or result.times is None or result.changes_per_minute is None or result.smiles is None:
        return result.model, sees, Cell(result.problem, "bright_black")
    figures = (f"{result.ms:.2f}", f"{result.times:.2f}", f"{result.changes_per_minute:.1f}", f"{result.smiles:.1%}")
    return result.model, sees, *figures


def graph_table(results: Sequence[tuple[Scenario, GraphResult]]) -> Table:
    """Return the table of `dfer bench graph`; in brackets: how many times the figure of the scenario's last way."""
    figures = ("answered", "p50 ms", "p95 ms", "p99 ms", "CPU % of a core", "MB", "MB grown", "s to the first answer")
    last = {scenario.name: result for scenario, result in results}
    rows: list[Row | None] = []
    for name, of_scenario in groupby(results, key=lambda one: one[0].name):
        rows += [None] if rows else []
        for index, (scenario, result) in enumerate(of_scenario):
            row = (
                "" if index else name,
                result.way,
                f"{result.answered}/{result.sent}",
                _with_ratio(result.p50_ms, last[name].p50_ms),
                _with_ratio(result.p95_ms, last[name].p95_ms),
                f"{result.p99_ms:.1f}",
                _with_ratio(result.cpu_percent, last[name].cpu_percent),
                f"{result.memory_mb:.0f}",
                f"{result.memory_growth_mb:+.1f}",
                f"{result.start_seconds:.1f}",
                "" if index else scenario.target,
            )
            rows.append(row)
    numbers = [Column(heading, number=True) for heading in figures]
    columns = [Column("scenario"), Column("way"), *numbers, Column("target")]
    return Table(columns, rows, "graph: image stamp to emotion message")


_WORSE = 1.1
"""Ratio from which a figure is called worse than before: less comes and goes with the load of the machine."""


def graph_comparison(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Table:
    """Return what became of the figures of an earlier run of `dfer bench graph`, as ratios to it."""
    figures = {"p50_ms": "p50", "p95_ms": "p95", "cpu_percent": "CPU", "memory_mb": "memory", "start_seconds": "start"}
    earlier = {(result["name"], result["way"]): result for result in before}
    rows = []
    for result in now:
        old = earlier.get((result["name"], result["way"]))
        if old is None:
            continue
        shares = [one["answered"] / one["sent"] if one["sent"] else 0.0 for one in (old, result)]
        answered = Cell(f"{shares[1]:.0%}", "red" if shares[1] * _WORSE < shares[0] else "")
        ratios = [result[name] / old[name] if old.get(name) else math.nan for name in figures]
        # Not a number: nothing was answered, or the run before did not measure it.
        cells = [Cell(f"{ratio:.2f}", "" if ratio <= _WORSE else "red") for ratio in ratios]
        rows.append((result["name"], result["way"], answered, *cells))
    title = "times the figures before; red: worse"
    return table_of(("scenario", "way", "answered", *figures.values()), rows, words=2, title=title)


def _with_ratio(value: float, other: float) -> str:
    return f"{value:.1f}" if value == other else f"{value:.1f} ({value / other:.2f})"


def faults_table(results: Iterable[ScenarioResult]) -> Table:
    """Return the table of `dfer bench faults`: every check of every scenario."""
    rows: list[Row | None] = []
    for result in results:
        for index, check in enumerate(result.checks):
            verdict = Cell("pass", "green") if check.passed else Cell("FAIL", "bold red")
            rows.append((Cell("" if index else result.scenario, "bold"), check.asked, check.measured, verdict))
        rows.append(None)
    headings = ("scenario", "asked", "measured", "")
    title = "faults: what was done to the graph, and whether it survived"
    return table_of(headings, rows, words=len(headings), title=title)
