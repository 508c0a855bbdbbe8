"""`dfer bench`: what graph and encoder cost on this computer and what they survive, as a table and a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnxruntime
from rich.console import Console
from rich.table import Table

from dfer_ros import __version__
from dfer_ros.cli.outputs import whole_file
from dfer_ros.core.emotion_model import EmotionModelConfig

_TABLE_WIDTH = 150
"""Columns that the table of the graph needs; a narrower terminal wraps its lines, which beats cutting its cells."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer bench`."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="WHAT")
    graph = kinds.add_parser("graph", help="the real nodes as processes: latency, answers, CPU, memory")
    graph.add_argument("--seconds", type=float, default=20.0, help="measured time of each scenario (%(default)s)")
    graph.add_argument("--only", nargs="*", default=[], help="names of the scenarios to run (all)")
    graph.add_argument(
        "--soak", type=float, default=0.0, help="minutes of video to watch the memory over (%(default)s)"
    )
    graph.add_argument("--yunet-model", default="", help="YuNet's ONNX file, for the crowd (as fetched)")
    graph.add_argument("--output", type=Path, default=Path("bench_graph.json"), help="JSON file (%(default)s)")
    encoder = kinds.add_parser("encoder", help="the encoder alone: milliseconds by precision and batch")
    encoder.add_argument("--model", default=EmotionModelConfig.model, help="model name or folder (%(default)s)")
    encoder.add_argument("--output", type=Path, default=Path("bench_encoder.json"), help="JSON file (%(default)s)")
    faults = kinds.add_parser("faults", help="what goes wrong on a robot, done to the real nodes: do they survive?")
    faults.add_argument(
        "--scale", type=float, default=0.05, help="share of the full counts and durations, 0 to 1 (%(default)s)"
    )
    faults.add_argument("--hours", type=float, help="length of the long run (the scale)")
    faults.add_argument("--only", nargs="*", default=[], help="names of the scenarios to run (all)")
    faults.add_argument("--yunet-model", default="", help="YuNet's ONNX file, for the crowd (as fetched)")
    faults.add_argument("--output", type=Path, default=Path("bench_faults.json"), help="JSON file (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and write the JSON file."""
    runs = {"graph": _run_graph, "encoder": _run_encoder, "faults": _run_faults}
    return runs[arguments.kind](arguments)


def _run_graph(arguments: argparse.Namespace) -> int:
    from dfer_ros.bench.graph import measure_graph, scenarios

    console = Console()
    chosen = scenarios(arguments.only, arguments.seconds, arguments.soak * 60, arguments.yunet_model)
    results = [measure_graph(scenario, console) for scenario in chosen]
    table = Table(title="graph: image stamp to emotion message", title_justify="left")
    for heading in (
        "scenario",
        "answered",
        "Hz",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU % of a core",
        "MB",
        "MB grown",
        "target",
    ):
        table.add_column(heading, justify="left" if heading in ("scenario", "target") else "right")
    for scenario, result in zip(chosen, results):
        table.add_row(
            scenario.name,
            f"{result.answered}/{result.sent}",
            f"{result.answers_per_second:.1f}",
            f"{result.p50_ms:.1f}",
            f"{result.p95_ms:.1f}",
            f"{result.p99_ms:.1f}",
            f"{result.cpu_percent:.0f}",
            f"{result.memory_mb:.0f}",
            f"{result.memory_growth_mb:+.1f}",
            scenario.target,
        )
    Console(width=max(console.width, _TABLE_WIDTH)).print(table)
    _write(arguments.output, [{**asdict(s), **asdict(r)} for s, r in zip(chosen, results)], console)
    return 0


def _run_encoder(arguments: argparse.Namespace) -> int:
    from dfer_ros.bench.encoder import measure_encoders

    console = Console()
    results = measure_encoders(arguments.model, console)
    table = Table(title=f"encoder {arguments.model}, one thread, CPU", title_justify="left")
    for heading in ("precision", "batch", "ms per batch", "ms per crop", "times FP32's speed"):
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(
            result.precision,
            str(result.batch),
            f"{result.batch_ms:.2f}",
            f"{result.batch_ms / result.batch:.2f}",
            f"{result.speed_up:.2f}",
        )
    console.print(table)
    _write(arguments.output, [asdict(result) for result in results], console)
    return 0


def _run_faults(arguments: argparse.Namespace) -> int:
    from dfer_ros.bench.faults.check import Extent
    from dfer_ros.bench.faults.scenarios import chosen_scenarios, open_log, print_table, run_scenarios

    console = Console()
    hours = arguments.scale if arguments.hours is None else arguments.hours
    chosen = chosen_scenarios(arguments.only)
    with open_log(arguments.output.with_suffix(".log")) as log:
        extent = Extent(arguments.scale, hours, arguments.yunet_model, lambda line: log.write(f"{line}\n"))
        results = run_scenarios(chosen, extent, console)
    print_table(results, console)
    _write(arguments.output, [asdict(result) for result in results], console)
    return 0 if all(result.passed for result in results) else 1


def _write(path: Path, results: list[dict[str, Any]], console: Console) -> None:
    content = {"machine": _machine(), "results": results}
    with whole_file(path) as file:
        json.dump(content, file, indent=1)
    console.print(f"-> {path}", highlight=False)


def _machine() -> dict[str, Any]:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    return {
        "dfer_ros": __version__,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "vnni": "vnni" in flags,
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
    }
