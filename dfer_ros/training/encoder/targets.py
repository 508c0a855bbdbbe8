"""What an encoder is taught about its training stills: their labels, mixed with what teachers say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.batches import DataConfig
from dfer_ros.training.encoder.config import DistillationConfig
from dfer_ros.training.encoder.exported_encoder import exported_encoder
from dfer_ros.training.encoder.soft_labels import soft_labels
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
