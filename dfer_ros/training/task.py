"""What a run learns: the schedule of its steps, and the task, which gives batches and losses."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import nn

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Schedule:
    """steps: of one batch each. learning_rate: after the warm-up, falling to zero along a cosine.

    weight_decay: of AdamW. log_steps, checkpoint_steps: after so many steps, and after the last, a row of the log and a
    checkpoint. average: 0..1, decay of a moving average of the weights, or None. gradient_norm: the largest of a step,
    or None.
    """

    steps: int
    learning_rate: float
    weight_decay: float
    log_steps: int
    checkpoint_steps: int
    warm_up_steps: int = 0
    average: float | None = None
    gradient_norm: float | None = None


def learning_rate(step: int, schedule: Schedule) -> float:
    """Return the learning rate at a step: linear warm-up, then half a cosine to zero."""
    if step < schedule.warm_up_steps:
        return schedule.learning_rate * (step + 1) / schedule.warm_up_steps
    done = (step - schedule.warm_up_steps) / max(schedule.steps - schedule.warm_up_steps, 1)
    return schedule.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


class Task(ABC, Generic[Batch]):
    """What a run learns. A new one sets these and defines `batches` and `losses`; docs/training.md shows one.

    model: on its device. seed: of what is drawn within a step, as by dropout. signature: all that the result depends
    on. learned: the word for the model.
    """

    model: nn.Module
    schedule: Schedule
    seed: int
    signature: str
    learned: str

    @abstractmethod
    def batches(self, steps: range) -> Iterable[Batch]:
        """Return the batches of some steps. For an exact resume each is a function of the seed and its step alone."""

    @abstractmethod
    def losses(self, batch: Batch, step: int) -> dict[str, torch.Tensor]:
        """Return the losses by name: `loss` is minimised, others are parts of it. The model is in training mode."""

    def optimizer(self) -> torch.optim.Optimizer:
        """Return the optimiser. A group with a `scale` has that many times the learning rate of the schedule."""
        return torch.optim.AdamW(self.model.parameters(), weight_decay=self.schedule.weight_decay)

    def measure(self, step: int, losses: Sequence[Mapping[str, float]], model: nn.Module) -> dict[str, float]:
        """Return a row of the log from the losses since the last row. model: with averaged weights, if there are."""
        return {"step": step} | {name: round(float(np.mean([one[name] for one in losses])), 4) for name in losses[0]}

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint says beside step, weights and optimiser: plain values and tensors."""
        return {"signature": self.signature}

    def difference(self, state: Mapping[str, Any]) -> str | None:
        """Return in words what else a checkpoint is of, None where it is of this run."""
        same = state.get("signature") == self.signature
        return None if same else f"another {self.learned}, configuration or data"
