"""`dfer tune`: the input size that fits this computer, by measurement: a table, a plot, a parameter file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import yaml
from rich.console import Console

from dfer_ros.cli.tune_arguments import BUDGET_MS, add_arguments, check_arguments
from dfer_ros.core.atomic_file import whole_file
from dfer_ros.core.model.folder import PRECISIONS, ModelFolder, open_model_folder
from dfer_ros.tuning.accuracy import SizeAccuracy, accuracy_by_size
from dfer_ros.tuning.budget import graph_latency_ms
from dfer_ros.tuning.choice import ResolutionChoice, ResolutionOption, choose
from dfer_ros.tuning.latency_curve import LatencyCurve
from dfer_ros.tuning.measurement import Measurement, budget_of_frame_rate, measure, measure_again
from dfer_ros.tuning.table import crops_in_words, latency_table, summary_table

configure = add_arguments

_TABLE_WIDTH = 120
"""Columns that the tables need; a narrower terminal wraps their lines, which beats cutting their cells."""
_GOOD_PREDICTION = 0.1
"""Relative error of a prediction that is still good."""


def run(arguments: argparse.Namespace) -> int:
    """Measure, choose, measure the choice again, and write the parameter file and the plot."""
    check_arguments(arguments)
    console = Console()
    tables = Console(width=max(console.width, _TABLE_WIDTH))
    cv2.setNumThreads(arguments.threads)
    folder = open_model_folder(arguments.model)
    graph_ms = graph_latency_ms(arguments.graph, arguments.faces) if arguments.graph else None
    accuracy = {} if arguments.encoder else _accuracies(folder)
    measured = measure(arguments, folder, console)
    budget_ms = arguments.budget_ms or BUDGET_MS
    if arguments.frame_rate:
        budget_ms = budget_of_frame_rate(arguments, folder, measured, graph_ms, console)
    measured, choice = _choose(arguments, folder, measured, accuracy, budget_ms)
    for curve in measured.curves:
        tables.print(latency_table(curve, accuracy.get(curve.precision, {}), budget_ms, arguments.faces))
    tables.print(summary_table(measured.curves, budget_ms))
    _say_choice(choice, console)
    again_ms = measure_again(arguments, folder, measured, choice.recommended)
    _say_error(choice.recommended, again_ms, budget_ms, console)
    if arguments.encoder:
        console.print(
            "No parameter file: an encoder alone is no model; put it into a folder with 'dfer export'.", soft_wrap=True
        )
    else:
        _write_parameters(arguments, choice.recommended, budget_ms, console)
    _plot(arguments, measured.curves, accuracy.get(choice.recommended.precision, {}), budget_ms, choice, console)
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


def _say_choice(choice: ResolutionChoice, console: Console) -> None:
    for heading, option in (("Largest within the budget", choice.largest), ("Recommended", choice.recommended)):
        known = option.accuracy
        figures = [f"{name} WAR {one.war:.1f}, UAR {one.uar:.1f}" for name, one in known.sets.items()] if known else []
        measured_with = f" (measured with {known.precision})" if known and known.precision != option.precision else ""
        console.print(
            f"{heading}: {option.size} pixels, {option.precision} on {option.provider}, "
            f"predicted {option.latency_ms:.3f} ms"
            + (f"; expected accuracy: {'; '.join(figures)}{measured_with}" if figures else ""),
            highlight=False,
            soft_wrap=True,
        )
    console.print(choice.reason, highlight=False, soft_wrap=True)


def _say_error(option: ResolutionOption, again_ms: float, budget_ms: float, console: Console) -> None:
    error = option.latency_ms / again_ms - 1
    console.print(f"Measured again: {again_ms:.3f} ms; the prediction is off by {100 * error:+.1f} %.", highlight=False)
    if abs(error) > _GOOD_PREDICTION:
        reason = "something else used the computer; measure again when it is idle."
        console.print(f"More than 10 %: {reason}", style="yellow", highlight=False, soft_wrap=True)
    if again_ms > budget_ms:
        console.print(f"That is more than the budget of {budget_ms:.3g} ms.", style="yellow", highlight=False)


def _plot(
    arguments: argparse.Namespace,
    curves: list[LatencyCurve],
    accuracy: dict[int, SizeAccuracy],
    budget_ms: float,
    choice: ResolutionChoice,
    console: Console,
) -> None:
    try:
        from dfer_ros.tuning.plot import plot_tuning
    except ImportError as error:
        console.print(f"No plot: {error.name} is not installed ('pip install {error.name}').", style="yellow")
        return
    plot_tuning(arguments.plot, curves, accuracy, budget_ms, choice, arguments.faces)
    console.print(f"-> {arguments.plot}", highlight=False)


def _write_parameters(
    arguments: argparse.Namespace, option: ResolutionOption, budget_ms: float, console: Console
) -> None:
    """Write what was chosen, in the form of config/*.yaml, for the launch argument params_file."""
    model = str(Path(arguments.model).expanduser().resolve()) if "/" in arguments.model else arguments.model
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
    console.print(f"-> {arguments.output}", highlight=False)
