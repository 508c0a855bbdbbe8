"""The arguments of `dfer tune`, and what they must be."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from dfer_ros.core.atomic_file import check_outputs
from dfer_ros.core.errors import DferError, SourceError
from dfer_ros.core.model.description import LARGEST_SIZE, SMALLEST_SIZE
from dfer_ros.core.model.emotion_model import EmotionModelConfig
from dfer_ros.core.model.folder import DESCRIPTION_FILE
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.parameter import parameters
from dfer_ros.streams.stamps import FrameConfig
from dfer_ros.tuning.budget import TRANSPORT_MS
from dfer_ros.tuning.choice import TOLERANCE

BUDGET_MS = 40.0
"""That of the paper, as its ten resolutions."""
_RESOLUTIONS, _MULTIPLE, _ROUNDS = 10, 8, 10
_LARGEST_ALONE = 512
"""Pixels of an encoder that is measured alone, to compare it with what papers report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer tune`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--precision", nargs="+", metavar="PRECISION", help="precisions to measure (those of the model)")
    which.add_argument("--encoder", type=Path, metavar="ONNX", help="measure this encoder file alone, not the model's")
    parser.add_argument("--model", default=EmotionModelConfig.model, help="model name or folder (%(default)s)")
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


def check_arguments(arguments: argparse.Namespace) -> None:
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
    description = Path(arguments.model).expanduser() / DESCRIPTION_FILE
    check_outputs((arguments.encoder, arguments.graph, description), (arguments.output, arguments.plot))
