"""Fine-tuning of a compressed encoder, by the training of this project, with the uncompressed one as its teacher."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from dfer_ros.core.atomic_file import make_folder
from dfer_ros.core.faces import Image
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.compression.fake_quantisation import fake_quantise
from dfer_ros.training.compression.pruning import prune
from dfer_ros.training.compression.source import Source
from dfer_ros.training.encoder.augmentation import central_part
from dfer_ros.training.encoder.batches import DataConfig
from dfer_ros.training.encoder.config import (
    DistillationConfig,
    EncoderTrainingConfig,
    ScheduleConfig,
    TeacherConfig,
)
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder, normalise
from dfer_ros.training.encoder.training import EncoderTask
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.run import TrainingRun

_PRUNED_LEARNING_RATE, _QUANTISED_LEARNING_RATE = 3e-4, 5e-5
_TEACHER_WEIGHT = 0.6
_BATCH = 32


@dataclass(frozen=True)
class FineTuningConfig:
    """steps: of one batch each. batch_size: images. sizes: input sizes in pixels that take turns. seed: of the run."""

    steps: int = 1500
    batch_size: int = 64
    sizes: tuple[int, ...] = (64, 80, 96, 112, 128)
    seed: int = 0
    workers: int = 1


class FineTuning:
    """Runs in a folder; one that was interrupted goes on.

    sets: folders of prepared sets with samples for training. runs: folder for the runs. key: tells them from those of
    other sources in the same folder.
    """

    def __init__(
        self, source: Source, sets: list[Path], runs: Path, key: str, config: FineTuningConfig, console: Console
    ) -> None:
        assert source.run is not None and source.trained is not None
        self._run, self._trained = source.run, source.trained
        self._sets, self._runs, self._key = sets, runs, key
        self._config, self._console = config, console

    def quantisation_aware(self, crops: list[Image]) -> TrainableEncoder:
        """Return the encoder fine-tuned under fake quantisation, its ranges taken from calibration crops."""
        name = f"quantisation_aware_{self._config.steps}_{self._key}"
        model = self._trained.model
        task = self._task(name, self._run, model.config, _QUANTISED_LEARNING_RATE)
        # Before the fake quantisation: the average of the weights is used without.
        run = TrainingRun(task, self._runs / name, self._console)
        device = next(task.model.parameters()).device
        fake_quantise(task.model, [batch.to(device) for batch in self._batches(crops)])
        run.run()
        return load_trained_encoder(self._runs / name, self._trained.input_size).model

    def pruned(self, share: float) -> TrainableEncoder:
        """Return the encoder without a share 0..1 of its expanded channels, fine-tuned if steps are given."""
        name = f"pruned_{round(100 * share)}_{self._config.steps}_{self._key}"
        surround = self._trained.surround
        if self._config.steps == 0:
            return prune(self._trained.model, surround, share)
        plain = load_trained_encoder(self._run, self._trained.input_size, adjusted=False)
        smaller = prune(plain.model, surround, share)
        start = self._runs / f"{name}_start"
        make_folder(start)
        _save(start / CHECKPOINT_FILE, smaller, surround)
        task = self._task(name, start, smaller.config, _PRUNED_LEARNING_RATE)
        TrainingRun(task, self._runs / name, self._console).run()
        return load_trained_encoder(self._runs / name, self._trained.input_size).model

    def _task(self, name: str, start: Path, encoder: EncoderConfig, learning_rate: float) -> EncoderTask:
        config = self._config
        schedule = ScheduleConfig(
            steps=config.steps,
            batch_size=config.batch_size,
            sizes=config.sizes,
            learning_rate=learning_rate,
            warm_up_steps=config.steps // 20,
            # Over the last tenth of the run: what was just pruned is not worth to be averaged in.
            average=max(1.0 - 10.0 / config.steps, 0.0),
            mixup=0.0,
            label_smoothing=0.0,
            checkpoint_steps=100,
            validation_steps=max(config.steps // 5, 1),
        )
        teacher = TeacherConfig(str(self._run), self._trained.input_size)
        described = EncoderTrainingConfig(
            data=tuple(DataConfig(str(folder.resolve())) for folder in self._sets),
            start=str(start.resolve()),
            encoder=encoder,
            surround=self._trained.surround,
            distillation=DistillationConfig((teacher,), _TEACHER_WEIGHT),
            schedule=schedule,
            logit_adjustment=load_checkpoint(self._run / CHECKPOINT_FILE)["logit_adjustment"],
            seed=config.seed,
            workers=config.workers,
        )
        self._console.print(f"Fine-tuning in {self._runs / name}", highlight=False)
        return EncoderTask(described, TrainingFolders(self._runs, self._runs, name), self._console)

    def _batches(self, crops: list[Image]) -> list[torch.Tensor]:
        part, size = self._trained.surround.crop, self._trained.input_size
        images = [central_part(crop, part, size) for crop in crops]
        starts = range(0, len(images), _BATCH)
        return [normalise(torch.from_numpy(np.stack(images[start : start + _BATCH]))) for start in starts]


def _save(path: Path, model: TrainableEncoder, surround: SurroundConfig) -> None:
    """Write a checkpoint that a run can start from."""
    average = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    # Nobody uses it as it is, so it needs no adjustment.
    state = {"encoder": asdict(model.config), "surround": asdict(surround), "average": average, "adjustment": [0.0]}
    save_checkpoint(path, state)
