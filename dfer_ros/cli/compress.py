"""`dfer compress`: smaller and faster variants of a trained encoder, and what each of them costs and gives."""

from __future__ import annotations

import argparse
from pathlib import Path

from dfer_ros.cli.argument_types import natural_number, positive_integer, proper_share
from dfer_ros.cli.terminal import say, show_table, terminal
from dfer_ros.training.compression.fine_tuning import FineTuningConfig
from dfer_ros.training.compression.quantisation import CALIBRATIONS
from dfer_ros.training.compression.report import figures, write_report
from dfer_ros.training.compression.source import open_source
from dfer_ros.training.compression.variants import PRUNED, VARIANTS, Compression, CompressionConfig

_BEST = "best"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer compress`."""
    parser.add_argument("--model", type=Path, required=True, help="folder of a run, its checkpoint, or a model folder")
    parser.add_argument("--stills", type=Path, nargs="+", required=True, help="prepared sets with training and "
                        "validation samples")  # fmt: skip
    parser.add_argument("--output", type=Path, required=True, help="folder for the encoders and the report")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, help="what to make (all that the model allows)")
    parser.add_argument("--calibration", choices=(_BEST, *CALIBRATIONS), default=_BEST, help="of INT8 (%(default)s)")
    parser.add_argument("--calibration-crops", type=positive_integer, default=512, help="how many (%(default)s)")
    parser.add_argument("--input-size", type=positive_integer, help="pixels (96, or what the model folder says)")
    parser.add_argument("--pruned-share", type=proper_share, default=0.3, help="of the expanded channels (%(default)s)")
    parser.add_argument("--steps", type=natural_number, default=1500, help="of fine-tuning; 0 for none (%(default)s)")
    parser.add_argument("--seed", type=natural_number, default=0, help="of crops and of training (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Make the variants, show the table, write the report."""
    source = open_source(arguments.model, arguments.input_size)
    able = VARIANTS if source.plain_convolutional else tuple(one for one in VARIANTS if one != PRUNED)
    config = CompressionConfig(
        variants=tuple(arguments.variants or able),
        calibrations=tuple(CALIBRATIONS) if arguments.calibration == _BEST else (arguments.calibration,),
        calibration_crops=arguments.calibration_crops,
        pruned_share=arguments.pruned_share,
        fine_tuning=FineTuningConfig(steps=arguments.steps, seed=arguments.seed),
        seed=arguments.seed,
    )
    variants = Compression(source, arguments.stills, arguments.output, config, terminal()).run()
    write_report(variants, arguments.output, source.description.crop, source.description.input_size)
    show_table(figures(variants))
    say(f"Written: {arguments.output}")
    return 0
