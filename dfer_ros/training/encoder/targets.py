"""What an encoder is taught about its training stills: their labels, mixed with what teachers say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.batches import DataConfig
from dfer_ros.training.encoder.config import DistillationConfig
from dfer_ros.training.encoder.export import exported_encoder
from dfer_ros.training.encoder.session import Encoder
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder, weights_file
from dfer_ros.training.folders import TrainingFolders


def training_targets(
    data: Sequence[DataConfig],
    sets: Sequence[PreparedSet],
    distillation: DistillationConfig,
    folders: TrainingFolders,
    console: Console,
) -> list[FloatArray]:
    """Return the targets [N, 7] of the training splits `sets` of `data`.

    What the teachers say is kept in the folder of the run. Raises TrainingError for a teacher that is not there,
    DataError for kept answers that are damaged.
    """
    labels = [prepared.targets() for prepared in sets]
    if not distillation.teachers:
        return labels
    runs = [folders.runs / teacher.run for teacher in distillation.teachers]
    teachers = [
        exported_encoder(load_trained_encoder(run, teacher.input_size, adjusted=False, bfloat16=teacher.bfloat16))
        for run, teacher in zip(runs, distillation.teachers)
    ]
    checkpoints = [file_sha256(weights_file(run)) for run in runs]
    targets = []
    for one, prepared, target in zip(data, sets, labels):
        if one.taught:
            made_of = repr((checkpoints, replace(distillation, weight=0.0), prepared.samples))
            key = hashlib.sha256(made_of.encode()).hexdigest()[:8]
            path = folders.output / f"soft_labels_{prepared.folder.name}_{key}.npy"
            soft = soft_labels(prepared, teachers, distillation, path, console)
            target = (1.0 - distillation.weight) * target + distillation.weight * soft
        targets.append(target)
    return targets


_BATCH = 128


def soft_labels(
    prepared: PreparedSet,
    teachers: Sequence[Encoder],
    distillation: DistillationConfig,
    path: Path,
    console: Console,
) -> FloatArray:
    """Return the mean probabilities [N, 7] of the teachers for the samples of a set, from `path` if it is there.

    Every still is seen as it is and, if `distillation` says so, mirrored.
    Raises DataError where the file is damaged or of another set, TrainingError where it cannot be written.
    """
    if path.is_file():
        return _read_soft_labels(path, len(prepared.samples))
    rows = np.empty((len(prepared.samples), len(LABELS)), dtype=np.float32)
    starts = range(0, len(rows), _BATCH)
    for start in track(starts, description=f"soft labels of {prepared.folder.name}", console=console):
        crops = [prepared.crop(index) for index in range(start, min(start + _BATCH, len(rows)))]
        views = [crops, [crop[:, ::-1] for crop in crops]] if distillation.mirrored else [crops]
        logits = [teacher.run(view).logits for teacher in teachers for view in views]
        answers = [calibrated_probabilities(one, distillation.temperature) for one in logits]
        rows[start : start + len(crops)] = np.mean(answers, axis=0)
    _write_soft_labels(path, rows)
    return rows


def _write_soft_labels(path: Path, rows: FloatArray) -> None:
    with whole_path(path) as part:
        np.save(part, rows)


def _read_soft_labels(path: Path, samples: int) -> FloatArray:
    try:
        rows: FloatArray = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"The soft labels {path} cannot be read ({error}): delete them to make them again.") from error
    if rows.shape != (samples, len(LABELS)):
        raise DataError(
            f"The soft labels {path} are {list(rows.shape)}, but the set has {samples} samples for training: "
            "delete them to make them again."
        )
    return rows
