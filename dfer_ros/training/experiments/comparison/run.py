"""A run that compares all ways to read a clip: heads on one encoder, other encoders, and a clip model, in one table."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from dfer_ros.core.atomic_file import make_folder
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.training.checkpoint import CHECKPOINT_FILE
from dfer_ros.training.clips.sources import Clips, clip_paths, labelled_faces
from dfer_ros.training.courses.bank import BankConfig
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder
from dfer_ros.training.evaluation.time_use import NEWEST_FRAME
from dfer_ros.training.experiments.comparison.descriptors import described_models
from dfer_ros.training.experiments.comparison.encoder import ComparedEncoder, ComparisonMaterial
from dfer_ros.training.experiments.comparison.report import write_report
from dfer_ros.training.experiments.comparison.results import ComparedModel
from dfer_ros.training.experiments.conv3d.run import CONV3D, read_conv3d_run
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.head.create_head import KINDS
from dfer_ros.training.head.left_out import WEIGHTED_MEAN
from dfer_ros.training.head.run import COMPARISON_FILE, BankStills, drawn_stills
from dfer_ros.training.head.training import HeadTrainingConfig


@dataclass(frozen=True)
class ComparisonRunConfig:
    """encoder: name of the run whose embeddings all heads see. clips: see clip_sources.

    stills: what simulated courses are made of. heads: kinds to train, see heads.create_head. other_encoders: runs of
    encoders that are compared by the weighted mean alone. clip_run: a run of kind clip, or None. Those two are left out
    with a sentence where there is no run. descriptors: whether handcrafted ones are compared.
    training: of all heads; head.kind is not looked at.
    frame_rate: Hz, of the video whose second is counted.
    """

    encoder: str
    clips: Clips
    stills: tuple[BankStills, ...]
    heads: tuple[str, ...] = ("gru", "transformer", "convolution", "apex")
    other_encoders: tuple[str, ...] = ()
    clip_run: str | None = None
    descriptors: bool = False
    input_size: int = 96
    bank: BankConfig = field(default_factory=BankConfig)
    training: HeadTrainingConfig = field(default_factory=HeadTrainingConfig)
    frame_rate: float = 30.0

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.heads if kind not in KINDS]
        if unknown:
            raise TrainingError(f"The head '{unknown[0]}' is not known: use one of {', '.join(KINDS)}.")
        if not self.stills or self.input_size < 1 or self.frame_rate <= 0:
            raise TrainingError(
                "A comparison needs stills, an input_size of 1 pixel or more, and a frame_rate above 0."
            )


def run_comparison(config: ComparisonRunConfig, folders: TrainingFolders, console: Console) -> None:
    """Leave comparison.md, comparison.csv and comparison.png in the folder of the run.

    What is there from a run that was stopped is taken over. Raises DataError and TrainingError for what is missing.
    """
    encoder = load_trained_encoder(folders.runs / config.encoder, config.input_size)
    stills = [drawn_stills(one, folders.data, config.bank.seed) for one in config.stills]
    faces = labelled_faces(clip_paths(config.clips, folders.data))
    folders.make_output()
    material = ComparisonMaterial(stills, config.bank, faces, config.training, config.frame_rate)

    compared = _compared(config, config.encoder, encoder, material, folders, console)
    models = [compared.weighted_mean(f"still, {WEIGHTED_MEAN}"), compared.newest_frame(f"still, {NEWEST_FRAME}")]
    models += [compared.trained_head(kind) for kind in config.heads]
    absent = []
    for name in config.other_encoders:
        if (folders.runs / name / CHECKPOINT_FILE).is_file():
            other = load_trained_encoder(folders.runs / name, config.input_size)
            of_other = _compared(config, name, other, material, folders, console)
            models.append(of_other.weighted_mean(f"{name}, {WEIGHTED_MEAN}"))
        else:
            absent.append(f"The encoder {name} is not in the table: it has no run yet.")
    if config.clip_run is not None:
        if (folders.runs / config.clip_run / COMPARISON_FILE).is_file():
            models += clip_models(folders.runs / config.clip_run)
        else:
            absent.append(f"The {CONV3D} is not in the table: the run {config.clip_run} is not there or not finished.")
    if config.descriptors:
        names = repr([(clip.name, clip.label, len(clip.stamps)) for clip in faces])
        kept = folders.output / f"descriptors-{hashlib.sha256(names.encode()).hexdigest()[:8]}"
        models += described_models(faces, make_folder(kept))
    for sentence in absent:
        console.print(sentence, highlight=False)
    write_report(models, absent, config.frame_rate, folders.output, console)


def clip_models(folder: Path) -> list[ComparedModel]:
    """Return a finished run of a clip model twice: with an answer at every frame, and with one at every stride."""
    rows, cost = read_conv3d_run(folder)
    names = {f"{CONV3D}, every frame": cost.every_frame, f"{CONV3D}, every stride": cost.every_stride}
    return [ComparedModel(name, 0, cost.parameters, of_second, tuple(rows)) for name, of_second in names.items()]


def _compared(
    config: ComparisonRunConfig,
    name: str,
    encoder: TrainedEncoder,
    material: ComparisonMaterial,
    folders: TrainingFolders,
    console: Console,
) -> ComparedEncoder:
    """Return an encoder with the folder for its results, a new one when the encoder or the configuration is another."""
    weights = file_sha256(folders.runs / name / CHECKPOINT_FILE)
    keys = ("clips", "stills", "input_size", "bank", "training", "frame_rate")
    described = repr((weights, {key: asdict(config)[key] for key in keys}))
    folder = folders.output / f"{name}-{hashlib.sha256(described.encode()).hexdigest()[:8]}"
    return ComparedEncoder(encoder, material, make_folder(folder), console)
