"""The steps of training a clip model, whatever it is shown: checkpoints with exact resume, and a log."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.atomic_file import make_folder
from dfer_ros.core.errors import TrainingError
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.experiments.conv3d.network import Conv3d
from dfer_ros.training.log import TrainingLog
from dfer_ros.training.progress import training_progress

DrawBatch = Callable[[int], tuple[torch.Tensor, torch.Tensor]]
"""From a step to its clips [N, 3, T, S, S] and their labels [N] or shares of the classes [N, 7]."""


@dataclass(frozen=True)
class ClipScheduleConfig:
    """steps: of one batch each. learning_rate: falls to zero along a cosine. label_smoothing: 0..1."""

    steps: int = 300
    batch_size: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    log_steps: int = 50
    checkpoint_steps: int = 50

    def __post_init__(self) -> None:
        if min(self.batch_size, self.log_steps, self.checkpoint_steps) < 1 or self.steps < 0:
            raise TrainingError(
                "A clip model's schedule needs batch_size, log_steps and checkpoint_steps of 1 or more, and steps of 0 "
                "or more."
            )
        if self.learning_rate <= 0 or not 0 <= self.label_smoothing < 1:
            raise TrainingError(
                "A clip model's schedule needs a learning_rate above 0 and a label_smoothing of 0 to below 1."
            )


class ClipTrainer:
    """A training of a clip model.

    draw: the batch of each step, a function of the step alone. signature: what must be the same for a run to go on.
    """

    def __init__(self, model: Conv3d, draw: DrawBatch, schedule: ClipScheduleConfig, seed: int, signature: str) -> None:
        self._model, self._draw, self._schedule, self._seed = model, draw, schedule, seed
        self._signature = signature
        self._optimizer = torch.optim.AdamW(
            model.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self._step = 0

    def run(self, output: Path, console: Console) -> Conv3d:
        """Train to the last step, from the checkpoint in the output folder if there is one; return the model.

        Raises TrainingError where the checkpoint is of another run, or cannot be read or written.
        """
        schedule = self._schedule
        make_folder(output)
        self._resume(output / CHECKPOINT_FILE)
        log = TrainingLog(output, self._step)
        losses: list[float] = []
        with training_progress(console, schedule.steps, self._step) as advance:
            while self._step < schedule.steps:
                losses.append(self._train())
                self._step += 1
                advance(f"loss {np.mean(losses[-20:]):.3f}")
                last = self._step == schedule.steps
                if self._step % schedule.log_steps == 0 or last:
                    log.add({"step": self._step, "loss": round(float(np.mean(losses)), 4)})
                    losses.clear()
                if self._step % schedule.checkpoint_steps == 0 or last:
                    self._save(output / CHECKPOINT_FILE)
        return self._model.eval()

    def _train(self) -> float:
        schedule = self._schedule
        torch.manual_seed(self._seed * 1_000_003 + self._step)
        for group in self._optimizer.param_groups:
            group["lr"] = schedule.learning_rate * 0.5 * (1.0 + math.cos(math.pi * self._step / schedule.steps))
        device = next(self._model.parameters()).device
        clips, targets = (part.to(device) for part in self._draw(self._step))
        self._model.train()
        loss = nn.functional.cross_entropy(self._model(clips), targets, label_smoothing=schedule.label_smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        return float(loss.detach())

    def _save(self, path: Path) -> None:
        state = {
            "signature": self._signature,
            "step": self._step,
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        save_checkpoint(path, state)

    def _resume(self, path: Path) -> None:
        if not path.is_file():
            return
        state = load_checkpoint(path)
        if state.get("signature") != self._signature:
            raise TrainingError(
                f"The checkpoint {path} is of another clip model, configuration or data: choose another "
                "--name, or delete that folder."
            )
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step = state["step"]
