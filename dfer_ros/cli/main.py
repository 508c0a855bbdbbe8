"""The `dfer` command. A subcommand is imported only when it is called: `dfer analyze` needs no ROS."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Protocol

from rich.console import Console

from dfer_ros import __version__
from dfer_ros.core.errors import DferError

# What goes wrong with a file is said in our own sentence, not in a warning of OpenCV as well; it reads this at import.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

COMMANDS = {
    "demo": "run the real graph on a made clip: no camera, no file, no network",
    "run": "run the graph on a camera topic, a webcam, a video or a folder of images",
    "analyze": "read the emotions of recordings into JSONL files, without ROS",
    "compare": "compare two runs over one recording and judge the change",
    "replay": "play a bag into the running graph, with its clock",
    "record": "write the emotions of a running graph, and more on request, into a bag",
    "report": "show a recording of emotions as one page, and as tables for studies",
    "watch": "show a running graph in this terminal: persons, rates, diagnostics",
    "fetch": "get a detector's model file and check it",
    "data": "turn data sets into aligned crops, and show what is in them",
    "train": "train an encoder or a head from a YAML file; the same command resumes",
    "compress": "make smaller and faster encoders and compare them",
    "export": "put encoders and a head together to a model folder",
    "evaluate": "measure a model on stills and clips and write a report",
    "tune": "find the input size of the encoder that fits this computer and its time",
    "bench": "measure the graph and the encoder on this computer",
}

TRAINING_COMMANDS = ("data", "train", "compress", "export", "evaluate")
"""Those that need the libraries of training, which a robot does not have."""


class Command(Protocol):
    """A module of this package that holds one subcommand."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit code."""
        ...


def main(arguments: list[str] | None = None) -> None:
    """Run a subcommand and leave with its exit code: 0 well, 1 with one sentence, 2 wrong arguments, 130 Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    name = next((argument for argument in arguments if argument in COMMANDS), None)
    parser = argparse.ArgumentParser(
        prog="dfer", description="Dynamic facial expression recognition for social robots."
    )
    parser.add_argument("--version", action="version", version=f"dfer {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands: dict[str, Command] = {}
    try:
        for command, summary in COMMANDS.items():
            subparser = subparsers.add_parser(command, help=summary, description=summary.capitalize() + ".")
            if command == name:
                commands[command] = _import_command(command)
                commands[command].configure(subparser)
        parsed = parser.parse_args(arguments)
        code = commands[parsed.command].run(parsed)
    except DferError as error:
        _say_error(f"dfer {name}: {error}")
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _import_command(command: str) -> Command:
    try:
        module: Command = importlib.import_module(f"dfer_ros.cli.{command}")
        return module
    except ImportError as error:
        remedy = (
            "install what training needs with \"pip install 'dfer_ros[train]'\", or '.[train]' in a clone."
            if command in TRAINING_COMMANDS
            else "source a ROS 2 workspace with dfer_msgs in it, or run 'make install'."
        )
        _say_error(f"dfer {command} needs {error.name}, which is not installed: {remedy}")
        sys.exit(1)


def _say_error(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True).print(sentence, style="red", highlight=False, markup=False)


if __name__ == "__main__":
    main()
