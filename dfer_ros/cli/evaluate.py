"""`dfer evaluate`: how good a model is on stills and clips, how sure, how fast, and beside peers: one report."""

from __future__ import annotations

import argparse
from pathlib import Path

from dfer_ros.cli.recognition_options import add_model_option
from dfer_ros.cli.terminal import say, terminal
from dfer_ros.core.atomic_file import whole_folder
from dfer_ros.core.errors import DataError
from dfer_ros.core.model.folder import PRECISIONS
from dfer_ros.training.evaluation.evaluate_model import EvaluationConfig, evaluate_model
from dfer_ros.training.evaluation.report import REPORT_FILE, write_report
from dfer_ros.training.experiments.peers import PEERS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer evaluate`."""
    add_model_option(parser)
    parser.add_argument(
        "--precision", nargs="+", default=[], choices=PRECISIONS, help="the first one is shown in detail (int8 and all)"
    )
    parser.add_argument(
        "--stills", nargs="+", type=Path, default=[], help="prepared sets with a test or validation split"
    )
    parser.add_argument(
        "--clips", nargs="+", type=Path, default=[], help="prepared sets of clips ('dfer data prepare')"
    )
    parser.add_argument("--peers", nargs="+", default=[], choices=PEERS, help="models of others, in the same run")
    parser.add_argument("--against", nargs="+", default=[], help="other models, by name or folder, in the same run")
    parser.add_argument("--output", type=Path, required=True, help="folder for report.md, pictures and metrics.json")
    parser.add_argument(
        "--seed", type=int, default=EvaluationConfig.seed, help="of shuffles and resamples (%(default)s)"
    )
    parser.add_argument(
        "--frame-rate",
        type=float,
        default=EvaluationConfig.frame_rate,
        help="Hz, for the cost of a second (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and write the report; its files appear when all is done, or not at all."""
    if arguments.frame_rate <= 0 or arguments.seed < 0:
        raise DataError("--frame-rate must be above 0 and --seed at least 0.")
    config = EvaluationConfig(
        model=arguments.model,
        precisions=tuple(dict.fromkeys(arguments.precision)),
        stills=tuple(dict.fromkeys(arguments.stills)),
        clips=tuple(dict.fromkeys(arguments.clips)),
        peers=tuple(dict.fromkeys(arguments.peers)),
        against=tuple(dict.fromkeys(arguments.against)),
        seed=arguments.seed,
        frame_rate=arguments.frame_rate,
    )
    console = terminal()
    with whole_folder(arguments.output) as folder:
        write_report(evaluate_model(config, console), folder)
    say(f"-> {arguments.output / REPORT_FILE}")
    return 0
