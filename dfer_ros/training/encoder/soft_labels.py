"""Soft labels: what an ensemble of teachers says about the training stills, kept in a file (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.config import DistillationConfig
from dfer_ros.training.encoder.session import Encoder

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
        return _read(path, len(prepared.samples))
    rows = np.empty((len(prepared.samples), len(LABELS)), dtype=np.float32)
    starts = range(0, len(rows), _BATCH)
    for start in track(starts, description=f"soft labels of {prepared.folder.name}", console=console):
        crops = [prepared.crop(index) for index in range(start, min(start + _BATCH, len(rows)))]
        views = [crops, [crop[:, ::-1] for crop in crops]] if distillation.mirrored else [crops]
        logits = [teacher.run(view).logits for teacher in teachers for view in views]
        answers = [calibrated_probabilities(one, distillation.temperature) for one in logits]
        rows[start : start + len(crops)] = np.mean(answers, axis=0)
    _write(path, rows)
    return rows


def _write(path: Path, rows: FloatArray) -> None:
    with whole_path(path) as part:
        np.save(part, rows)


def _read(path: Path, samples: int) -> FloatArray:
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
