"""`dfer train`: train what a YAML file describes; stopped at any moment, the same command goes on."""

from __future__ import annotations

import argparse
from pathlib import Path

from dfer_ros.cli.terminal import say, terminal
from dfer_ros.core.errors import TrainingError
from dfer_ros.training.configuration import read_configuration
from dfer_ros.training.encoder.blend import BlendRunConfig, run_blend
from dfer_ros.training.encoder.config import EncoderTrainingConfig
from dfer_ros.training.encoder.training import EncoderTask
from dfer_ros.training.experiments.comparison.run import ComparisonRunConfig, run_comparison
from dfer_ros.training.experiments.conv3d.run import Conv3dRunConfig, run_conv3d
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.head.run import HeadRunConfig, run_head
from dfer_ros.training.run import TrainingRun


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer train`."""
    parser.add_argument("configuration", type=Path, help="YAML file, such as those in config/training")
    parser.add_argument("--data", type=Path, default=Path("prepared"), help="folder of prepared sets (%(default)s)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs (%(default)s)")
    parser.add_argument("--name", help="name of this run (that of the YAML file)")
    parser.add_argument("--fold", help="leave out the sets or sources of clips that the YAML file names so")


def run(arguments: argparse.Namespace) -> int:
    """Train to the end, from where the last call stopped."""
    console = terminal()
    config = read_configuration(arguments.configuration)
    name = arguments.configuration.stem if arguments.name is None else arguments.name
    if arguments.fold is not None:
        if not isinstance(config, EncoderTrainingConfig | BlendRunConfig):
            raise TrainingError("--fold is for runs of kind encoder or blend: the others leave sources out themselves.")
        config, name = config.without(arguments.fold), f"{name}_{arguments.fold}"
    folders = TrainingFolders(arguments.data, arguments.runs, name)
    try:
        if isinstance(config, BlendRunConfig):
            run_blend(config, folders, console)
        elif isinstance(config, HeadRunConfig):
            run_head(config, folders, console)
        elif isinstance(config, Conv3dRunConfig):
            run_conv3d(config, folders, console)
        elif isinstance(config, ComparisonRunConfig):
            run_comparison(config, folders, console)
        else:
            TrainingRun(EncoderTask(config, folders, console), folders.output, console).run()
    except KeyboardInterrupt:
        say(f"Stopped. The same command goes on from the last checkpoint in {folders.output}.")
        raise
    say(f"Trained: {folders.output}")
    return 0
