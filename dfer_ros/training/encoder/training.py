"""Training of a frame encoder: steps, moving average of the weights, checkpoints with exact resume."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from dfer_ros.core.errors import DataError, DferError, TrainingError, last_line
from dfer_ros.core.faces import FloatArray
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.data.prepared_set import PreparedSet, check_names, open_prepared_set
from dfer_ros.training.encoder.batches import Batch, EncoderBatches, drawn_shares
from dfer_ros.training.encoder.config import EncoderTrainingConfig, ScheduleConfig
from dfer_ros.training.encoder.frame_encoder import TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import MobileNetV1
from dfer_ros.training.encoder.targets import training_targets
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder, normalise
from dfer_ros.training.encoder.validation import validation_recalls
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.log import TrainingLog
from dfer_ros.training.progress import training_progress

_FITTED_BATCHES = 4


class EncoderTraining:
    """A run that can be stopped at any moment and goes on from its last checkpoint with the same result.

    Raises DataError and TrainingError for what the configuration names and is not there.
    """

    def __init__(self, config: EncoderTrainingConfig, folders: TrainingFolders, console: Console) -> None:
        torch.manual_seed(config.seed)
        self.config, self._folders, self._console = config, folders, console
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._sets = [_split(folders.data / one.name, "train") for one in config.data]
        self._validation = [_split(folders.data / name, "validation") for name in config.validation.sets]
        for sets in (self._sets, self._validation):
            check_names(sets)
        self.model = TrainableEncoder(config.encoder, config.surround)
        if config.start is not None:
            self._start_from(folders.runs / config.start)
        elif isinstance(self.model.backbone, MobileNetV1) and config.encoder.pretrained is not None:
            self.model.backbone.fit_statistics(self.model.surround(self._first_images()))
        self.model.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(config.schedule.average)  # type: ignore[no-untyped-call]
        self._average = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self._optimizer = torch.optim.AdamW(_parameter_groups(self.model, config.schedule), lr=0.0)
        self.step = 0

    def run(self) -> None:
        """Train to the last step, from the checkpoint in the output folder if there is one."""
        schedule = self.config.schedule
        self._folders.make_output()
        self._resume()
        log = TrainingLog(self._folders.output, self.step)
        losses: list[float] = []
        with training_progress(self._console, schedule.steps, self.step) as advance:
            for batch in self._batches():
                losses.append(self._train(batch))
                self.step += 1
                advance(f"loss {np.mean(losses[-50:]):.3f}")
                last = self.step == schedule.steps
                if self.step % schedule.validation_steps == 0 or last:
                    log.add(self._measure(losses))
                    losses.clear()
                # After the log: a row that no checkpoint knows of is measured again, but none is missing.
                if self.step % schedule.checkpoint_steps == 0 or last:
                    self._save()

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

    def _batches(self) -> Iterator[Batch]:
        config, schedule = self.config, self.config.schedule
        targets = training_targets(config.data, self._sets, config.distillation, self._folders, self._console)
        data = self._data(targets, schedule.sizes)
        steps = range(self.step, schedule.steps)
        # Spawned, not forked: the threads of OpenCV and OpenMP do not survive a fork.
        loader = DataLoader(
            data,
            batch_size=None,
            sampler=steps,
            num_workers=config.workers,
            worker_init_fn=_one_thread,
            prefetch_factor=4 if config.workers else None,
            multiprocessing_context="spawn" if config.workers else None,
        )
        try:
            yield from loader
        except DferError as error:
            # A loading process wraps the sentence in its traceback.
            raise type(error)(last_line(error).split(f"{type(error).__name__}: ")[-1]) from error

    def _train(self, batch: Batch) -> float:
        schedule = self.config.schedule
        torch.manual_seed(self.config.seed * 1_000_003 + self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self.step, schedule)
        image, target = normalise(batch.images.to(self._device)), batch.targets.to(self._device)
        if schedule.mixup > 0:
            chance = np.random.default_rng((self.config.seed, self.step, 1))
            image, target = _mix(image, target, float(chance.beta(schedule.mixup, schedule.mixup)))
        self.model.train()
        if schedule.frozen_norms:
            _keep_statistics(self.model)
        _, logits = self.model(image)
        loss = nn.functional.cross_entropy(logits, target, label_smoothing=schedule.label_smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._average.update_parameters(self.model)
        return loss.item()

    def _measure(self, losses: list[float]) -> dict[str, float]:
        """Return a row of the log: the mean loss, and the accuracy of the averaged weights on the validation sets."""
        row: dict[str, float] = {"step": self.step, "loss": round(float(np.mean(losses)), 4)}
        assert isinstance(self._average.module, TrainableEncoder)
        size = self.config.validation.input_size
        encoder = TrainedEncoder(self._average.module, self.config.surround, size)
        row |= validation_recalls(encoder, self._validation, self._adjustment())
        self._console.print("  ".join(f"{name} {value:g}" for name, value in row.items()), highlight=False)
        return row

    def _save(self) -> None:
        state = {
            "configuration": self._signature(),
            "encoder": asdict(self.config.encoder),
            "surround": asdict(self.config.surround),
            "step": self.step,
            "logit_adjustment": self.config.logit_adjustment,
            "adjustment": self._adjustment().tolist(),
            "model": self.model.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        save_checkpoint(self._folders.output / CHECKPOINT_FILE, state)

    def _signature(self) -> dict[str, Any]:
        """Return what must be the same for a run to go on: all that the result depends on."""
        without = ("workers", "validation")
        signature = {name: value for name, value in asdict(self.config).items() if name not in without}
        signature["samples"] = [len(prepared.samples) for prepared in self._sets]
        return signature

    def _adjustment(self) -> FloatArray:
        """Return what is added to the logits [7] of the trained encoder."""
        return -self.config.logit_adjustment * np.log(np.maximum(drawn_shares(self.config.data, self._sets), 1e-6))

    def _resume(self) -> None:
        path = self._folders.output / CHECKPOINT_FILE
        if not path.is_file():
            return
        state = load_checkpoint(path)
        before, now = state.get("configuration", {}), self._signature()
        other = [name for name, value in now.items() if before.get(name) != value]
        if other:
            raise TrainingError(
                f"The checkpoint {path} is of a run with another {' and another '.join(other)}: choose another --name, "
                "or delete that folder."
            )
        self.model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def learning_rate(step: int, schedule: ScheduleConfig) -> float:
    """Return the learning rate at a step: linear warm-up, then half a cosine to zero."""
    if step < schedule.warm_up_steps:
        return schedule.learning_rate * (step + 1) / schedule.warm_up_steps
    done = (step - schedule.warm_up_steps) / max(schedule.steps - schedule.warm_up_steps, 1)
    return schedule.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


def _split(folder: Path, name: str) -> PreparedSet:
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


def _mix(image: torch.Tensor, target: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix every image with another one of the batch (mixup, Zhang et al. 2018); the first keeps the larger share."""
    share = max(share, 1.0 - share)
    return torch.lerp(image.flip(0), image, share), torch.lerp(target.flip(0), target, share)


def _parameter_groups(model: nn.Module, schedule: ScheduleConfig) -> list[dict[str, Any]]:
    """Return the trained parameters in two groups: only weights of two dimensions or more decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
