"""Training of the clip-wise baseline, a 3D CNN over windows of crops, on the clips of all sources but one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.encoder.augmentation import AugmentationConfig
from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.experiments.conv3d.batches import (
    Conv3dBatches,
    Conv3dWindowConfig,
    answered_frames,
    clip_tensor,
    window_images,
)
from dfer_ros.training.experiments.conv3d.network import Conv3d, Conv3dConfig
from dfer_ros.training.run import TrainingRun
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


_ONE_PERSON_IN_ONE_LIGHT = AugmentationConfig(
    low_resolution=0.0, blur=0.0, jpeg=0.0, noise=0.0, occlusion=0.0, exposure=0.8, grey=0.3
)


@dataclass(frozen=True)
class Conv3dTrainingConfig:
    """All of a training but the data.

    augmentation: one draw of it for all frames of a window. stride: between the windows of an answer, as share of a
    window.
    """

    model: Conv3dConfig = field(default_factory=Conv3dConfig)
    window: Conv3dWindowConfig = field(default_factory=Conv3dWindowConfig)
    augmentation: AugmentationConfig = _ONE_PERSON_IN_ONE_LIGHT
    schedule: Conv3dScheduleConfig = field(default_factory=Conv3dScheduleConfig)
    stride: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.stride <= 0 or self.seed < 0:
            raise TrainingError("A clip model needs a stride above 0 and a seed of 0 or more.")


def train_conv3d(
    config: Conv3dTrainingConfig,
    clips: Sequence[ClipFaces],
    held_out: Collection[str],
    output: Path,
    console: Console | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
) -> Conv3d:
    """Return a clip model trained on the clips of all sources but those that are held out.

    start: the weights to begin with, see clip_stills; None begins at random. output: folder of checkpoint and log.
    A run whose folder has a checkpoint goes on from it, to the same result. Raises TrainingError where there is no
    face to train on, the checkpoint is of another configuration, or it cannot be read or written.
    """
    kept = [clip for clip in clips if clip.source not in held_out]
    if not any(len(clip.stamps) for clip in kept):
        raise TrainingError(
            f"No clip with a face is left to train on without those of {', '.join(held_out) or 'none'}."
        )
    torch.manual_seed(config.seed)
    model = Conv3d(config.model).to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    if start is not None:
        model.load_state_dict(start)
    batches = Conv3dBatches(kept, config.window, config.augmentation, config.schedule.batch_size, config.seed)

    def draw(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        windows, labels = batches.batch(step)
        return clip_tensor(windows, torch.device("cpu")), torch.from_numpy(labels)

    # The sum stands for the weights to start from.
    begun = None if start is None else float(sum(value.double().abs().sum() for value in start.values()))
    signature = repr((asdict(config), begun, sorted(held_out), [(clip.name, len(clip.stamps)) for clip in kept]))
    task = Conv3dTask(model, draw, config.schedule, config.seed, signature)
    TrainingRun(task, output, console).run()
    return model.eval()


def conv3d_answers(config: Conv3dTrainingConfig, model: Conv3d, clips: Sequence[ClipFaces]) -> list[ClipAnswer]:
    """Return what a clip model answers on clips, window after window with the stride of the configuration."""
    stride = config.stride * config.window.seconds
    return [
        ClipAnswer(clip.name, clip.label, clip.source, _probabilities(config, model.eval(), clip, stride), clip.kind)
        for clip in clips
    ]


def _probabilities(config: Conv3dTrainingConfig, model: Conv3d, clip: ClipFaces, stride: float) -> FloatArray:
    """Return the probabilities [W, 7] of the windows of a clip, none where it has no face."""
    rows = [np.zeros((0, len(LABELS)), dtype=np.float32)]
    device = next(model.parameters()).device
    for end in answered_frames(clip.stamps, stride, config.window).tolist():
        images = window_images(clip, end, config.window)[None]
        with torch.inference_mode():
            rows.append(model(clip_tensor(images, device)).softmax(dim=1).cpu().numpy())
    return np.concatenate(rows)
