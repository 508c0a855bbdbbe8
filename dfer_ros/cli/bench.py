"""`dfer bench`: what everything costs on this computer, ours and others', as tables and JSON files that name it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dfer_ros.bench.machine import describe_machine, machine_line
from dfer_ros.cli.bench_accuracy import configure_accuracy, figures_table, measure_accuracy
from dfer_ros.cli.recognition_options import add_model_option
from dfer_ros.cli.terminal import say, show_table, terminal
from dfer_ros.core.atomic_file import whole_file
from dfer_ros.core.detection import DetectorConfig
from dfer_ros.core.detection.yunet_detector import find_yunet_model
from dfer_ros.core.errors import DetectorError, DferError

BENCHES = {
    "encoder": "the encoder alone: milliseconds by precision and batch",
    "streaming": "one new frame for an answer, against the whole window again: what the window saves",
    "detectors": "our face detectors and those of others on the same images: time, faces found, false alarms",
    "following": "known faces followed in their region, against a look at the whole image at every frame",
    "heads": "where heads are and how they are turned, on heads rendered in known poses: degrees off",
    "peers": "other people's models on the same faces: time, and how steady their answers are",
    "stages": "where the time of a frame goes: CPU time of every step of both nodes, by its name",
    "graph": "the real nodes as processes: latency, answers, CPU, memory",
    "faults": "what goes wrong on a robot, done to the real nodes: do they survive?",
    "blends": "two names for one face, against the votes of ten people a face",
    "transitions": "changes of expression in labelled clips joined at known moments: told, missed, invented, how late",
    "micro": "micro-expressions put into calm videos at known moments, and clips of real ones: found, missed, invented",
    "descriptors": "LBP-TOP, HOG and optical flow with a linear classifier on clips, beside the recogniser and chance",
}
ACCURACY = ("transitions", "blends", "micro", "descriptors")
"""Those that ask how right answers are, on labelled data; they need the libraries of training."""
ALL = ("encoder", "streaming", "detectors", "peers", "graph")
"""What `dfer bench all` runs; `faults` asks other questions, and takes its time."""
_Results = list[dict[str, Any]]
"""Results as JSON takes them; one with `passed` false makes the exit code 1."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer bench`."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="WHAT")
    every = kinds.add_parser("all", help=f"{', '.join(ALL)}, one after another")
    every.add_argument("--output-folder", type=Path, default=Path("bench"), help="for the JSON files (%(default)s)")
    _configure_graph(every)
    _configure_model(every)
    _configure_yunet(every)
    parsers = {kind: kinds.add_parser(kind, help=what) for kind, what in BENCHES.items()}
    for kind, one in parsers.items():
        one.add_argument("--output", type=Path, default=Path(f"bench_{kind}.json"), help="JSON file (%(default)s)")
    for kind in ("encoder", "streaming", "peers", "stages"):
        _configure_model(parsers[kind])
    for kind in ("detectors", "following", "heads", "graph", "faults"):
        _configure_yunet(parsers[kind])
    parsers["following"].add_argument(
        "recordings", nargs="*", help="videos, bags, or folders of them, beside the courses made for it"
    )
    parsers["heads"].add_argument("--persons", type=int, default=12, help="different heads (%(default)s)")
    parsers["heads"].add_argument("--poses", type=int, default=28, help="poses of each (%(default)s)")
    parsers["heads"].add_argument("--seed", type=int, default=0, help="draws heads and poses (%(default)s)")
    _configure_graph(parsers["graph"])
    for kind in ACCURACY:
        configure_accuracy(kind, parsers[kind])
    faults = parsers["faults"]
    faults.add_argument(
        "--scale", type=float, default=0.05, help="share of the full counts and durations, 0 to 1 (%(default)s)"
    )
    faults.add_argument(
        "--processes", choices=("one", "two"), default="one", help="how many the nodes run in (%(default)s)"
    )
    faults.add_argument("--hours", type=float, help="length of the long run (the scale)")
    faults.add_argument("--only", nargs="*", default=[], help="names of the scenarios to run (all)")


def _configure_model(parser: argparse.ArgumentParser) -> None:
    add_model_option(parser)


def _configure_yunet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yunet-model", default="", help="YuNet's ONNX file (as fetched)")


def _configure_graph(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time of each scenario (%(default)s)")
    parser.add_argument("--only", nargs="*", default=[], help="names of the scenarios of the graph to run (all)")
    parser.add_argument("--compare", type=Path, help="JSON file of an earlier run: says what became slower")
    parser.add_argument(
        "--soak", type=float, default=0.0, help="minutes of video to watch the memory over (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the tables and write the JSON files."""
    _check_yunet(arguments)
    say(machine_line(describe_machine()), "bright_black")
    if arguments.kind != "all":
        return _run_one(arguments.kind, arguments, arguments.output)
    arguments.output_folder.mkdir(parents=True, exist_ok=True)
    return max(_run_one(kind, arguments, arguments.output_folder / f"bench_{kind}.json") for kind in ALL)


def _check_yunet(arguments: argparse.Namespace) -> None:
    """Raise DetectorError now, and not after an hour, where a scenario needs a detector that is not here."""
    crowds = {"graph": "thirty_faces", "all": "thirty_faces", "faults": "crowd"}
    crowd = crowds.get(arguments.kind)
    if crowd is None or (arguments.only and crowd not in arguments.only):
        return
    try:
        find_yunet_model(arguments.yunet_model)
    except DetectorError as error:
        raise DetectorError(f"{error} Only the scenario {crowd} needs it: choose others with --only.") from error


def _run_one(kind: str, arguments: argparse.Namespace, output: Path) -> int:
    runs: dict[str, Callable[[argparse.Namespace, Path], _Results]] = {
        "encoder": _encoder,
        "streaming": _streaming,
        "detectors": _detectors,
        "following": _following,
        "heads": _heads,
        "peers": _peers,
        "stages": _stages,
        "graph": _graph,
        "faults": _faults,
        **dict.fromkeys(ACCURACY, _accuracy),
    }
    machine = describe_machine()
    # A file that cannot be written is found now, and not after an hour.
    with whole_file(output) as file:
        results = runs[kind](arguments, output)
        json.dump({"bench": kind, "machine": machine, "results": results}, file, indent=1)
    say(f"-> {output}")
    return 0 if all(result.get("passed", True) for result in results) else 1


def _encoder(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.encoder import measure_encoders
    from dfer_ros.cli.bench_tables import encoder_table

    results = measure_encoders(arguments.model, terminal())
    show_table(encoder_table(arguments.model, results))
    return [asdict(result) for result in results]


def _streaming(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.streaming import measure_streaming
    from dfer_ros.cli.bench_tables import streaming_table

    results = measure_streaming(arguments.model, terminal())
    show_table(streaming_table(arguments.model, results))
    return [asdict(result) for result in results]


def _detectors(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.detectors import measure_detectors
    from dfer_ros.cli.bench_tables import detectors_table

    results = measure_detectors(arguments.yunet_model, terminal())
    show_table(detectors_table(results))
    return [asdict(result) for result in results]


def _following(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.following import measure_following
    from dfer_ros.cli.bench_tables import following_table

    configs = [DetectorConfig("mediapipe"), DetectorConfig("yunet", yunet_model=arguments.yunet_model)]
    results = measure_following(configs, arguments.recordings, terminal())
    show_table(following_table(results))
    return [{**asdict(result), "errors": None, "landmark_error": result.landmark_error} for result in results]


def _heads(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.heads import measure_heads
    from dfer_ros.cli.bench_tables import heads_table

    results = measure_heads(arguments.yunet_model, terminal(), arguments.persons, arguments.poses, arguments.seed)
    show_table(heads_table(results))
    return [asdict(result) for result in results]


def _stages(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.stages import measure_stages
    from dfer_ros.cli.bench_tables import stages_table

    results = measure_stages(arguments.model, terminal())
    show_table(stages_table(results))
    return [asdict(result) for result in results]


def _peers(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.peers import measure_peers
    from dfer_ros.cli.bench_tables import peers_table

    results = measure_peers(arguments.model, terminal())
    show_table(peers_table(results))
    return [asdict(result) for result in results]


def _graph(arguments: argparse.Namespace, _: Path) -> _Results:
    from dfer_ros.bench.graph import measure_graph, scenarios
    from dfer_ros.cli.bench_tables import graph_comparison, graph_table

    before = _results_of(arguments.compare) if arguments.compare else []
    chosen = scenarios(arguments.only, arguments.seconds, arguments.soak * 60, arguments.yunet_model)
    results = [(scenario, measure_graph(scenario, way, terminal())) for scenario in chosen for way in scenario.ways]
    show_table(graph_table(results))
    now = [{**asdict(scenario), **asdict(result)} for scenario, result in results]
    if before:
        show_table(graph_comparison(before, now))
    return now


def _results_of(file: Path) -> _Results:
    """Return the results of an earlier run; raises DferError where the file holds none of this bench."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        results: _Results = content["results"]
        if content["bench"] != "graph" or not all(
            {"name", "way", "p95_ms", "answered", "sent"} <= set(result) for result in results
        ):
            raise ValueError("it is of another bench, or of an older version")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DferError(f"{file} is no result of 'dfer bench graph' to compare with: {error}") from error
    return results


def _faults(arguments: argparse.Namespace, output: Path) -> _Results:
    from dfer_ros.bench.faults.check import Extent
    from dfer_ros.bench.faults.scenarios import chosen_scenarios, open_log, run_scenarios, sum_up
    from dfer_ros.cli.bench_tables import faults_table

    hours = arguments.scale if arguments.hours is None else arguments.hours
    chosen = chosen_scenarios(arguments.only)
    with open_log(output.with_suffix(".log")) as log:
        extent = Extent(
            arguments.scale, hours, arguments.yunet_model, arguments.processes, lambda line: log.write(f"{line}\n")
        )
        results = run_scenarios(chosen, extent, terminal())
    show_table(faults_table(results))
    say(sum_up(results), "green" if all(result.passed for result in results) else "bold red")
    return [{**asdict(result), "passed": result.passed} for result in results]


def _accuracy(arguments: argparse.Namespace, _: Path) -> _Results:
    title, results = measure_accuracy(arguments)
    show_table(figures_table(title, results))
    return [asdict(result) for result in results]
