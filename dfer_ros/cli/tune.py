"""`dfer tune`: the input size that fits this computer, by measurement: a table, a plot, a parameter file."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import cv2
import yaml

from dfer_ros.cli.recognition_options import add_model_option
from dfer_ros.cli.terminal import say, show_table, terminal
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.errors import DferError, SourceError
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.model.description import LARGEST_SIZE, SMALLEST_SIZE
from dfer_ros.core.model.folder import DESCRIPTION_FILE, PRECISIONS, ModelFolder, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.parameter import parameters
from dfer_ros.streams.stamps import FrameConfig
from dfer_ros.tuning.accuracy import SizeAccuracy, accuracy_by_size
from dfer_ros.tuning.budget import TRANSPORT_MS, graph_latency_ms
from dfer_ros.tuning.choice import TOLERANCE, ResolutionChoice, ResolutionOption, choose
from dfer_ros.tuning.latency_curve import LatencyCurve
from dfer_ros.tuning.measurement import Measurement, budget_of_frame_rate, measure, measure_again
from dfer_ros.tuning.table import crops_in_words, latency_table, summary_table

BUDGET_MS = 40.0
"""That of the paper, as its ten resolutions."""
_RESOLUTIONS, _MULTIPLE, _ROUNDS = 10, 8, 10
_LARGEST_ALONE = 512
"""Pixels of an encoder that is measured alone, to compare it with what papers report."""
_GOOD_PREDICTION = 0.1
"""Relative error of a prediction that is still good."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer tune`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--precision", nargs="+", metavar="PRECISION", help="precisions to measure (those of the model)")
    which.add_argument("--encoder", type=Path, metavar="ONNX", help="measure this encoder file alone, not the model's")
    add_model_option(parser)
    parser.add_argument("--providers", nargs="+", help="execution providers to measure (those that are installed)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of one run (%(default)s)")
    parser.add_argument("--faces", type=int, default=1, help="faces in every frame (%(default)s)")
    time = parser.add_mutually_exclusive_group()
    time.add_argument("--budget-ms", type=float, help=f"time for the encoder and one frame ({BUDGET_MS:g})")
    time.add_argument("--frame-rate", type=float, help="Hz; the budget is what a frame at this rate leaves")
    parser.add_argument("--detection-ms", type=float, help="cost of detection (measured on the demo clip)")
    transport = parser.add_mutually_exclusive_group()
    transport.add_argument("--transport-ms", type=float, help=f"cost of transport ({TRANSPORT_MS:g})")
    transport.add_argument("--graph", type=Path, metavar="JSON", help="transport from this file of `dfer bench graph`")
    parser.add_argument("--yunet-model", default="", help="YuNet's ONNX file (as fetched)")
    parser.add_argument(
        "--resolutions", type=int, default=_RESOLUTIONS, help="most resolutions to measure (%(default)s)"
    )
    parser.add_argument(
        "--multiple", type=int, default=_MULTIPLE, help="input sizes are multiples of it, from 64 on (%(default)s)"
    )
    parser.add_argument(
        "--largest", type=int, default=LARGEST_SIZE, help="largest input size; more with --encoder only (%(default)s)"
    )
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="points of mean UAR that count as equal (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="rounds in which all take turns (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path("tune.yaml"), help="parameter file (%(default)s)")
    parser.add_argument("--plot", type=Path, default=Path("tune.png"), help="picture (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Measure, choose, measure the choice again, and write the parameter file and the plot."""
    _check_arguments(arguments)
    cv2.setNumThreads(arguments.threads)
    folder = open_model_folder(arguments.model)
    graph_ms = graph_latency_ms(arguments.graph, arguments.faces) if arguments.graph else None
    accuracy = {} if arguments.encoder else _accuracies(folder)
    measured = measure(arguments, folder, terminal())
    budget_ms = arguments.budget_ms or BUDGET_MS
    if arguments.frame_rate:
        budget_ms = budget_of_frame_rate(arguments, folder, measured, graph_ms, terminal())
    measured, choice = _choose(arguments, folder, measured, accuracy, budget_ms)
    for curve in measured.curves:
        show_table(latency_table(curve, accuracy.get(curve.precision, {}), budget_ms, arguments.faces))
    show_table(summary_table(measured.curves, budget_ms))
    _say_choice(choice)
    again_ms = measure_again(arguments, folder, measured, choice.recommended)
    _say_error(choice.recommended, again_ms, budget_ms)
    if arguments.encoder:
        say("No parameter file: an encoder alone is no model; put it into a folder with 'dfer export'.")
    else:
        _write_parameters(arguments, choice.recommended, budget_ms)
    _plot(arguments, measured.curves, accuracy.get(choice.recommended.precision, {}), budget_ms, choice)
    return 0


def _choose(
    arguments: argparse.Namespace,
    folder: ModelFolder,
    measured: Measurement,
    accuracy: dict[str, dict[int, SizeAccuracy]],
    budget_ms: float,
) -> tuple[Measurement, ResolutionChoice]:
    """Return the choice, and what was measured for it: a size that was only predicted is measured, and chosen anew."""
    while True:
        choice = choose(_options(measured.curves, accuracy), budget_ms, arguments.tolerance)
        chosen = choice.recommended
        if measured.includes(chosen):
            return measured, choice
        measured = measured.with_latency(chosen, measure_again(arguments, folder, measured, chosen))


def _accuracies(folder: ModelFolder) -> dict[str, dict[int, SizeAccuracy]]:
    return {precision: accuracy_by_size(folder.description.metrics, precision) for precision in PRECISIONS}


def _options(curves: list[LatencyCurve], accuracy: dict[str, dict[int, SizeAccuracy]]) -> list[ResolutionOption]:
    return [
        ResolutionOption(
            curve.precision,
            curve.provider,
            size,
            curve.predicted_ms(size),
            accuracy.get(curve.precision, {}).get(size),
        )
        for curve in curves
        for size in curve.allowed
    ]


def _say_choice(choice: ResolutionChoice) -> None:
    for heading, option in (("Largest within the budget", choice.largest), ("Recommended", choice.recommended)):
        known = option.accuracy
        figures = [f"{name} WAR {one.war:.1f}, UAR {one.uar:.1f}" for name, one in known.sets.items()] if known else []
        measured_with = f" (measured with {known.precision})" if known and known.precision != option.precision else ""
        say(
            f"{heading}: {option.size} pixels, {option.precision} on {option.provider}, "
            f"predicted {option.latency_ms:.3f} ms"
            + (f"; expected accuracy: {'; '.join(figures)}{measured_with}" if figures else "")
        )
    say(choice.reason)


def _say_error(option: ResolutionOption, again_ms: float, budget_ms: float) -> None:
    error = option.latency_ms / again_ms - 1
    say(f"Measured again: {again_ms:.3f} ms; the prediction is off by {100 * error:+.1f} %.")
    if abs(error) > _GOOD_PREDICTION:
        reason = "something else used the computer; measure again when it is idle."
        say(f"More than 10 %: {reason}", "yellow")
    if again_ms > budget_ms:
        say(f"That is more than the budget of {budget_ms:.3g} ms.", "yellow")


def _plot(
    arguments: argparse.Namespace,
    curves: list[LatencyCurve],
    accuracy: dict[int, SizeAccuracy],
    budget_ms: float,
    choice: ResolutionChoice,
) -> None:
    try:
        from dfer_ros.tuning.plot import plot_tuning
    except ImportError as error:
        say(f"No plot: {error.name} is not installed ('pip install {error.name}').", "yellow")
        return
    plot_tuning(arguments.plot, curves, accuracy, budget_ms, choice, arguments.faces)
    say(f"-> {arguments.plot}")


def _write_parameters(arguments: argparse.Namespace, option: ResolutionOption, budget_ms: float) -> None:
    """Write what was chosen, in the form of config/*.yaml, for the launch argument params_file."""
    model = str(at_home(Path(arguments.model)).resolve()) if "/" in arguments.model else arguments.model
    values: dict[str, Any] = {
        "model": model,
        "precision": option.precision,
        "providers": [option.provider],
        "threads": arguments.threads,
        "input_size": option.size,
    }
    rate = {"frame_rate": arguments.frame_rate} if arguments.frame_rate else {}
    nodes = {"dfer_node": {**values, **rate}, **({"face_detector_node": rate} if rate else {})}
    content = {f"/**/{node}": {"ros__parameters": parameters} for node, parameters in nodes.items()}
    with whole_file(arguments.output) as file:
        file.write(
            f"# By dfer tune: {option.latency_ms:.3f} ms predicted for the encoder, {crops_in_words(arguments.faces)}, "
            f"within a budget of {budget_ms:.3g} ms.\n"
            "# ros2 launch dfer_ros dfer.launch.py params_file:=THIS_FILE\n"
        )
        yaml.safe_dump(content, file, sort_keys=False)
    say(f"-> {arguments.output}")


def _check_arguments(arguments: argparse.Namespace) -> None:
    """Raise DferError for arguments out of range and for places that cannot be written, before anything is measured."""
    least_and_most: dict[str, tuple[float, float]] = {
        "threads": parameters(SessionConfig())["threads"].limits,
        "faces": (1, 200),
        "resolutions": (2, 65),
        "multiple": (1, 64),
        "largest": (SMALLEST_SIZE, _LARGEST_ALONE if arguments.encoder else LARGEST_SIZE),
        "rounds": (1, 1000),
        "frame_rate": parameters(FrameConfig())["frame_rate"].limits,
        "detection_ms": (0, 1e4),
        "transport_ms": (0, 1e4),
        "tolerance": (0, 100),
    }
    for name, (least, most) in least_and_most.items():
        value = getattr(arguments, name)
        if value is not None and not least <= value <= most:
            raise DferError(f"--{name.replace('_', '-')} must be from {least:g} to {most:g}, not {value:g}.")
    if arguments.budget_ms is not None and not 0 < arguments.budget_ms < math.inf:
        raise DferError(f"--budget-ms must be above 0, not {arguments.budget_ms:g}.")
    if arguments.encoder and arguments.graph:
        raise DferError("--graph was measured with the model's encoder: leave it out, or leave out --encoder.")
    if (arguments.graph or arguments.transport_ms is not None or arguments.detection_ms is not None) and (
        arguments.frame_rate is None
    ):
        raise DferError(
            "The cost of detection and transport counts with --frame-rate only: give it, or leave them out."
        )
    if arguments.plot.suffix.lower() != ".png":
        raise SourceError(f"The plot {arguments.plot} must be a .png file.")
    description = at_home(Path(arguments.model)) / DESCRIPTION_FILE
    check_outputs((arguments.encoder, arguments.graph, description), (arguments.output, arguments.plot))
