"""Training of a frame encoder on stills, with teachers if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader

from dfer_ros.core.errors import DataError, DferError, TrainingError, last_line
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.training.data.prepared_set import PreparedSet, check_names, open_prepared_set
from dfer_ros.training.encoder.batches import Batch, EncoderBatches, drawn_shares
from dfer_ros.training.encoder.config import EncoderTrainingConfig, ScheduleConfig
from dfer_ros.training.encoder.frame_encoder import TrainableEncoder, run_in_bfloat16
from dfer_ros.training.encoder.learning_rates import parameter_groups
from dfer_ros.training.encoder.mobilenet_v1 import MobileNetV1
from dfer_ros.training.encoder.targets import training_targets
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder, normalise
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.task import Schedule, Task

_FITTED_BATCHES = 4


class EncoderTask(Task[Batch]):
    """A frame encoder that learns the classes of stills.

    Raises DataError and TrainingError for what the configuration names and is not there.
    """

    model: TrainableEncoder

    def __init__(self, config: EncoderTrainingConfig, folders: TrainingFolders, console: Console) -> None:
        torch.manual_seed(config.seed)
        self.config, self.seed, self.schedule = config, config.seed, _schedule(config.schedule)
        self._folders, self._console = folders, console
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._sets = [training_samples(folders.data / one.name, one.without) for one in config.data]
        self._validation = [_split_of_set(folders.data / name, "validation") for name in config.validation.sets]
        for sets in (self._sets, self._validation):
            check_names(sets)
        self.model = TrainableEncoder(config.encoder, config.surround)
        if config.start is not None:
            self._start_from(folders.runs / config.start)
        begun = config.start is not None or config.encoder.pretrained is not None
        if begun and isinstance(self.model.backbone, MobileNetV1) and self.model.backbone.folded:
            self.model.backbone.fit_statistics(self.model.surround(self._first_images()))
        self.model.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(self, steps: range) -> Iterator[Batch]:
        """Return the batches of some steps, from loading processes if the configuration asks for them."""
        config = self.config
        targets = training_targets(config.data, self._sets, config.distillation, self._folders, self._console)
        return _loaded_batches(self._data(targets, config.schedule.sizes), steps, config.workers)

    def losses(self, batch: Batch, step: int) -> dict[str, torch.Tensor]:
        """Return the cross-entropy against labels and teachers."""
        schedule = self.config.schedule
        image, target = normalise(batch.images.to(self._device)), batch.targets.to(self._device)
        if schedule.mixup > 0:
            chance = np.random.default_rng((self.seed, step, 1))
            image, target = _mixup(image, target, float(chance.beta(schedule.mixup, schedule.mixup)))
        if schedule.frozen_norms:
            _keep_statistics(self.model)
        _, logits = run_in_bfloat16(self.model, image) if schedule.bfloat16 else self.model(image)
        return {"loss": nn.functional.cross_entropy(logits, target, label_smoothing=schedule.label_smoothing)}

    def optimizer(self) -> torch.optim.Optimizer:
        """Return an optimiser under which only weights of two dimensions or more decay, and early layers learn less."""
        return torch.optim.AdamW(parameter_groups(self.model, self.config.schedule), fused=True)

    def measure(self, step: int, losses: Sequence[Mapping[str, float]], model: nn.Module) -> dict[str, float]:
        """Return the mean loss, and the accuracy of the averaged weights on the validation sets."""
        assert isinstance(model, TrainableEncoder)
        encoder = TrainedEncoder(model, self.config.surround, self.config.validation.input_size)
        row = super().measure(step, losses, model) | validation_recalls(encoder, self._validation, self._adjustment())
        self._console.print("  ".join(f"{name} {value:g}" for name, value in row.items()), highlight=False)
        return row

    def state(self) -> dict[str, Any]:
        """Return what describes the encoder, and what must be the same for a run to go on."""
        return {
            "configuration": self._configuration(),
            "encoder": asdict(self.config.encoder),
            "surround": asdict(self.config.surround),
            "logit_adjustment": self.config.logit_adjustment,
            "adjustment": self._adjustment().tolist(),
        }

    def difference(self, state: Mapping[str, Any]) -> str | None:
        """Return which parts of the configuration, or the samples, are other ones."""
        before, now = state.get("configuration", {}), self._configuration()
        other = [name for name, value in now.items() if before.get(name) != value]
        return f"a run with another {' and another '.join(other)}" if other else None

    def _start_from(self, run: Path) -> None:
        start = load_trained_encoder(run, 0, adjusted=False)
        try:
            self.model.load_state_dict(start.model.state_dict())
        except RuntimeError as error:
            raise TrainingError(
                f"The run {run} to start from has another encoder ({start.model.config.architecture}) than this one "
                f"({self.config.encoder.architecture}): give 'encoder' and 'surround' as they are there."
            ) from error

    def _first_images(self) -> torch.Tensor:
        """Return augmented training images [N, 3, S, S], by which batch norms are fitted."""
        labels = [prepared.targets() for prepared in self._sets]
        sizes = (self.config.validation.input_size,)
        batches = self._data(labels, sizes)
        return normalise(torch.cat([batches[step].images for step in range(_FITTED_BATCHES)]))

    def _data(self, targets: list[FloatArray], sizes: tuple[int, ...]) -> EncoderBatches:
        config = self.config
        return EncoderBatches(
            config.data,
            self._sets,
            targets,
            config.schedule.batch_size,
            sizes,
            config.surround,
            config.augmentation,
            config.seed,
        )

    def _configuration(self) -> dict[str, Any]:
        """Return all that the result depends on."""
        without = ("workers", "validation", "folds")
        configuration = {name: value for name, value in asdict(self.config).items() if name not in without}
        return configuration | {"samples": [len(prepared.samples) for prepared in self._sets]}

    def _adjustment(self) -> FloatArray:
        """Return what is added to the logits [7] of the trained encoder."""
        return -self.config.logit_adjustment * np.log(np.maximum(drawn_shares(self.config.data, self._sets), 1e-6))


def _schedule(config: ScheduleConfig) -> Schedule:
    return Schedule(
        steps=config.steps,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        log_steps=config.validation_steps,
        checkpoint_steps=config.checkpoint_steps,
        warm_up_steps=config.warm_up_steps,
        average=config.average,
    )


def _loaded_batches(data: EncoderBatches, steps: range, workers: int) -> Iterator[Batch]:
    # Spawned, not forked: the threads of OpenCV and OpenMP do not survive a fork.
    loader = DataLoader(
        data,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        worker_init_fn=_one_thread,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )
    try:
        yield from loader
    except DferError as error:
        # A loading process wraps the sentence in its traceback.
        raise type(error)(last_line(error).split(f"{type(error).__name__}: ")[-1]) from error


def training_samples(folder: Path, without: tuple[str, ...]) -> PreparedSet:
    """Return the training split of a prepared set but the samples with one of some tags. Raises DataError for none."""
    prepared = _split_of_set(folder, "train")
    kept = tuple(sample for sample in prepared.samples if not set(without) & set(sample.tags))
    if not kept:
        raise DataError(f"Without {', '.join(without)} nothing is left of {folder}: leave that set out of 'data'.")
    return replace(prepared, samples=kept)


def _split_of_set(folder: Path, name: str) -> PreparedSet:
    prepared = open_prepared_set(folder).split(name)
    if not prepared.samples:
        raise DataError(f"The set {folder} has no samples in the split '{name}': leave it out of that list.")
    return prepared


def _keep_statistics(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(1)


def _mixup(image: torch.Tensor, target: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix every image with another one of the batch (mixup, Zhang et al. 2018); the first keeps the larger share."""
    share = max(share, 1.0 - share)
    return torch.lerp(image.flip(0), image, share), torch.lerp(target.flip(0), target, share)


_PREDICTED_AT_ONCE = 128


def validation_recalls(
    encoder: TrainedEncoder, sets: Sequence[PreparedSet], adjustment: FloatArray
) -> dict[str, float]:
    """Return WAR and UAR in percent on each set, by its name. adjustment: what is added to the logits [7]."""
    recalls = {}
    for prepared in sets:
        labels = prepared.targets().argmax(axis=1)
        predicted = (_logits(encoder, prepared) + adjustment).argmax(axis=1)
        recalls[f"{prepared.name}_war"] = round(100 * accuracy(predicted, labels), 2)
        recalls[f"{prepared.name}_uar"] = round(100 * unweighted_average_recall(predicted, labels), 2)
    return recalls


def _logits(encoder: TrainedEncoder, prepared: PreparedSet) -> FloatArray:
    """Return the logits [N, 7] of all samples of a set."""
    count = len(prepared.samples)
    parts = np.array_split(np.arange(count), -(-count // _PREDICTED_AT_ONCE))
    return np.concatenate([encoder.logits([prepared.crop(int(index)) for index in part]) for part in parts])
