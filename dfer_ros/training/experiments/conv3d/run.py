"""A run for the clip-wise baseline: each source left out in turn, what it answers there, and what it costs."""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import dacite
import torch
from rich.console import Console

from dfer_ros.core.errors import TrainingError
from dfer_ros.text.tables import Table, rich_table, table_of
from dfer_ros.text.wording import in_percent
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.clips.sources import Clips, clip_paths, labelled_faces
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, groups
from dfer_ros.training.evaluation.cost import network_cost
from dfer_ros.training.experiments.conv3d.network import Conv3d, export_conv3d
from dfer_ros.training.experiments.conv3d.stills import Conv3dStillsConfig, train_on_stills
from dfer_ros.training.experiments.conv3d.training import Conv3dTrainingConfig, conv3d_answers, train_conv3d
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.head.create_head import parameter_count
from dfer_ros.training.head.left_out import ComparisonRow, comparison_row
from dfer_ros.training.head.run import COMPARISON_FILE, write_rows

COST_FILE = "cost.csv"
CONV3D = "3D CNN"

_Row = TypeVar("_Row", ComparisonRow, "Conv3dCost")


@dataclass(frozen=True)
class Conv3dRunConfig:
    """clips: see clip_sources. stills: to learn from before the clips, or None.

    folds: sources that are left out together, each source in one of them; none: each is left out alone.
    frame_rate: Hz, of the video whose second is counted.
    """

    clips: Clips
    stills: Conv3dStillsConfig | None = None
    training: Conv3dTrainingConfig = field(default_factory=Conv3dTrainingConfig)
    folds: tuple[tuple[str, ...], ...] = ()
    frame_rate: float = 30.0

    def __post_init__(self) -> None:
        if self.frame_rate <= 0:
            raise TrainingError("A run for a clip model needs a frame_rate above 0.")


@dataclass(frozen=True)
class Conv3dCost:
    """Multiply-adds of one window, and of a second of video.

    every_frame: with an answer at every frame, as a robot needs it. every_stride: with one at every stride, as the
    answers of the run are made.
    """

    parameters: int
    window: int
    every_frame: float
    every_stride: float


def run_conv3d(config: Conv3dRunConfig, folders: TrainingFolders, console: Console) -> None:
    """Leave what the model gives on each source that it has not seen, and its cost, in the folder of the run.

    What is there from a run that was stopped is taken over. Raises DataError and TrainingError for what is missing.
    """
    clips = labelled_faces(clip_paths(config.clips, folders.data))
    check_folds(config.folds, clips)
    folders.make_output()
    start = None
    if config.stills is not None:
        model, crop, seed = config.training.model, config.training.window.crop, config.training.seed
        start = train_on_stills(config.stills, model, crop, seed, folders.data, folders.output / "stills", console)
    rows = conv3d_rows(config.training, clips, config.folds, folders.output / "left_out", console, start)
    cost = conv3d_cost(config)
    write_rows(rows, folders.output / COMPARISON_FILE)
    write_rows([cost], folders.output / COST_FILE)
    console.print(rich_table(_table(rows)))
    console.print(
        f"{cost.window / 1e6:,.0f} million multiply-adds a window. A second of video: {cost.every_frame / 1e9:,.1f} "
        f"billion with an answer at every frame, {cost.every_stride / 1e9:,.2f} billion with one at every stride.",
        highlight=False,
    )


def conv3d_rows(
    config: Conv3dTrainingConfig,
    clips: Sequence[ClipFaces],
    folds: Sequence[Sequence[str]],
    output: Path,
    console: Console,
    start: Mapping[str, torch.Tensor] | None = None,
) -> list[ComparisonRow]:
    """Return the figures on every source, by a model that never saw it, and on all videos.

    folds: see Conv3dRunConfig. start: the weights that all models begin with.
    """
    answers: list[ClipAnswer] = []
    for fold in folds or [(source,) for source in dict.fromkeys(clip.source for clip in clips)]:
        console.print(f"left out: {', '.join(fold)}", highlight=False)
        model = train_conv3d(config, clips, fold, output / "+".join(fold), console, start)
        answers += conv3d_answers(config, model, [clip for clip in clips if clip.source in fold])
    return [comparison_row(source, CONV3D, "plain", group) for source, group in groups(answers).items()]


def check_folds(folds: Sequence[Sequence[str]], clips: Sequence[ClipFaces]) -> None:
    """Raise TrainingError where a source is in no fold, or in several, or has no clip."""
    named, sources = list(itertools.chain(*folds)), {clip.source for clip in clips}
    wrong = {source for source in {*named, *sources} if named.count(source) != (source in sources)}
    if folds and wrong:
        raise TrainingError(
            f"The folds of a clip model have to name each source once; of {', '.join(sorted(wrong))} they do not."
        )


def conv3d_cost(config: Conv3dRunConfig) -> Conv3dCost:
    """Return the cost of the model, counted in its ONNX graph."""
    window, model = config.training.window, Conv3d(config.training.model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip_model.onnx"
        export_conv3d(model, window.frames, window.input_size, path)
        shape = (1, 3, window.frames, window.input_size, window.input_size)
        cost = network_cost(path, {"clips": shape}).multiply_adds
    per_second = cost / (config.training.stride * window.seconds)
    return Conv3dCost(parameter_count(model), cost, cost * config.frame_rate, per_second)


def read_conv3d_run(folder: Path) -> tuple[list[ComparisonRow], Conv3dCost]:
    """Return what a finished run left. Raises TrainingError where that is missing or damaged."""
    rows = _read_rows(folder / COMPARISON_FILE, ComparisonRow)
    return rows, _read_rows(folder / COST_FILE, Conv3dCost)[0]


def _read_rows(path: Path, kind: type[_Row]) -> list[_Row]:
    """Return the rows of a CSV file, at least one."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            config = dacite.Config(type_hooks={int: int, float: float})
            rows = [dacite.from_dict(kind, row, config) for row in csv.DictReader(file)]
    except FileNotFoundError as error:
        raise TrainingError(f"There is no {path}: train with 'dfer train' to the end first.") from error
    except (OSError, ValueError, dacite.DaciteError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): train again.") from error
    if not rows:
        raise TrainingError(f"{path} is empty: train again.")
    return rows


def _table(rows: Sequence[ComparisonRow]) -> Table:
    return table_of(
        ("source", "clips", "UAR %", "WAR %"),
        [(row.source, str(row.clips), in_percent(row.uar), in_percent(row.war)) for row in rows],
        title=f"{CONV3D} on each source, by a model that never saw it",
    )
