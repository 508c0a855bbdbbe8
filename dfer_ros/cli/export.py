"""`dfer export`: a model folder that the nodes can run, from compressed encoders and a trained head."""

from __future__ import annotations

import argparse
from pathlib import Path

from dfer_ros.cli.terminal import say, terminal
from dfer_ros.training.model_export import ModelExportConfig, export_model


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer export`."""
    parser.add_argument("--encoders", type=Path, required=True, help="folder that 'dfer compress' wrote")
    parser.add_argument("--head", type=Path, required=True, help="folder of a head's run, as 'dfer train' left it")
    parser.add_argument("--clips", type=Path, nargs="+", required=True, help="labelled clips to measure on")
    parser.add_argument("--stills", type=Path, nargs="*", default=[], help="prepared sets to measure on")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the model folder with its figures."""
    console = terminal()
    config = ModelExportConfig(
        encoders=arguments.encoders,
        head=arguments.head,
        clips=tuple(dict.fromkeys(arguments.clips)),
        stills=tuple(dict.fromkeys(arguments.stills)),
    )
    export_model(config, arguments.output, console)
    say(f"Model folder: {arguments.output}")
    return 0
