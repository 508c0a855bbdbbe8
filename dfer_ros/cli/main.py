"""The `dfer` command. A subcommand is imported only when it is called: `dfer analyze` needs no ROS."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

from dfer_ros import __version__
from dfer_ros.core.errors import DferError, in_one_line
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.standard_streams import open_closed_streams, output_fails

# What goes wrong with a file is said in our own sentence, not in a warning of OpenCV as well; it reads this at import.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

COMMANDS = {
    "demo": "run the real graph on a made clip: no camera, no file, no network",
    "run": "run the graph on a camera topic, a webcam, a video or a folder of images",
    "analyze": "read the emotions of recordings into JSONL files, without ROS",
    "compare": "compare two runs over one recording and judge the change",
    "replay": "play a bag into the running graph, with its clock",
    "record": "write the emotions of a running graph, and more on request, into a bag",
    "report": "show a recording of emotions as one page, and as tables for studies",
    "micro": "find short, faint expressions in a fast video: onset, apex, offset, and the label where it is sure",
    "longitudinal": "follow the expressions of one person over many sessions, with trends and a page",
    "study": "write analyses for ELAN, pandas, R and BIDS, and a table over participants",
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

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130

TRAINING_COMMANDS = ("data", "train", "compress", "export", "evaluate")
"""Those that need the libraries of training, which a robot does not have."""


class Command(Protocol):
    """The interface of a module that implements one subcommand."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the subcommand and return its exit code."""
        ...


def main(arguments: list[str] | None = None) -> None:
    """Run a subcommand and leave with its exit code.

    0 well; 1 with one sentence; 2 wrong arguments; 3 standard output cannot be written; 4 well, on recordings of which
    not all frames could be read, as a sentence and the receipt say; 130 ended by Ctrl-C, SIGTERM or
    SIGHUP, with nothing half written; 141 whoever read standard output has gone. `dfer compare` has a meaning of its
    own for 1 and 2.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    name = next((argument for argument in arguments if argument in COMMANDS), None)
    try:
        _prepare_process()
        code = _run(name, arguments)
        sys.stdout.flush()
    except DferError as error:
        _say_error(f"dfer {name}: {error}")
        code = 1
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except OSError as error:
        if output_fails():
            code = 141 if isinstance(error, BrokenPipeError) else 3
        elif error.filename is not None:
            # Such as a name that is too long for the file system.
            _say_error(f"dfer {name}: {error.filename} cannot be used ({error.strerror}): choose another name.")
            code = 1
        else:
            raise
        if code == 3:
            _say_error(f"dfer {name}: standard output cannot be written ({error.strerror}): send it somewhere else.")
    except SystemExit as end:
        # Rich leaves with 1 where nobody reads on, which `dfer compare` means otherwise.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        code = 141
    sys.exit(code)


def _prepare_process() -> None:
    open_closed_streams()
    # Signs that the encoding of the terminal does not have are no reason to end.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    # A polite kill and a closed terminal end a command as Ctrl-C does; nohup has the second one ignored.
    for number in _ENDS[1:]:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _left_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process itself: libraries in C make errors of their own of it while they are loaded."""
    handlers = {number: signal.getsignal(number) for number in _ENDS if signal.getsignal(number) != signal.SIG_IGN}
    for number in handlers:
        signal.signal(number, lambda *_: os._exit(_INTERRUPTED))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _run(name: str | None, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dfer", description="Dynamic facial expression recognition for social robots."
    )
    parser.add_argument("--version", action="version", version=f"dfer {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands: dict[str, Command] = {}
    for command, summary in COMMANDS.items():
        subparser = subparsers.add_parser(command, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if command == name:
            commands[command] = _import_command(command)
            commands[command].configure(subparser)
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        subparsers.choices[parsed.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    for option, value in vars(parsed).items():
        setattr(parsed, option, _at_home(value))
    return commands[parsed.command].run(parsed)


def _at_home(value: Any) -> Any:
    """Return paths with the home folder in the place of ~, which a shell leaves in --output=~/x."""
    if isinstance(value, list):
        return [_at_home(one) for one in value]
    return at_home(value) if isinstance(value, Path) else value


def _import_command(command: str) -> Command:
    try:
        with _left_at_once():
            module: Command = importlib.import_module(f"dfer_ros.cli.{command}")
        return module
    except ImportError as error:
        remedy = (
            "install what training needs with \"pip install 'dfer_ros[train]'\", or '.[train]' in a clone."
            if command in TRAINING_COMMANDS
            else "source a ROS 2 workspace with dfer_msgs in it, or run 'make install'."
        )
        missing = isinstance(error, ModuleNotFoundError) and error.name
        problem = f"needs {error.name}, which is not installed" if missing else ""
        _say_error(f"dfer {command} {problem or f'cannot be loaded ({in_one_line(error)})'}: {remedy}")
        sys.exit(1)


def _say_error(sentence: str) -> None:
    # Here, so that Ctrl-C is heard while it is imported.
    from dfer_ros.cli.terminal import say_error

    say_error(sentence)


if __name__ == "__main__":
    main()
