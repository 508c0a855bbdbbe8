"""What a clip model learns, whatever it is shown: clips, or stills as clips of one frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.experiments.conv3d.network import Conv3d
from dfer_ros.training.task import Schedule, Task

Conv3dBatch = tuple[torch.Tensor, torch.Tensor]
"""Clips [N, 3, T, S, S] and their labels [N] or shares of the classes [N, 7]."""


@dataclass(frozen=True)
class Conv3dScheduleConfig:
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


class Conv3dTask(Task[Conv3dBatch]):
    """A clip model. draw: the batch of each step, a function of the step alone."""

    model: Conv3d
    learned = "clip model"

    def __init__(
        self,
        model: Conv3d,
        draw: Callable[[int], Conv3dBatch],
        schedule: Conv3dScheduleConfig,
        seed: int,
        signature: str,
    ) -> None:
        self.model, self._draw, self.seed, self.signature = model, draw, seed, signature
        self._label_smoothing = schedule.label_smoothing
        self.schedule = Schedule(
            steps=schedule.steps,
            learning_rate=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
            log_steps=schedule.log_steps,
            checkpoint_steps=schedule.checkpoint_steps,
            gradient_norm=1.0,
        )

    def batches(self, steps: range) -> Iterator[Conv3dBatch]:
        """Return the batches that are drawn."""
        return map(self._draw, steps)

    def losses(self, batch: Conv3dBatch, step: int) -> dict[str, torch.Tensor]:
        """Return the cross-entropy of the classes."""
        device = next(self.model.parameters()).device
        clips, targets = (part.to(device) for part in batch)
        return {"loss": nn.functional.cross_entropy(self.model(clips), targets, label_smoothing=self._label_smoothing)}
