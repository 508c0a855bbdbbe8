"""Training of a temporal head on simulated courses and on the clips of all sources but one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.window import WindowConfig
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.clips.windows import ClipWindows, clip_windows, head_answers
from dfer_ros.training.courses.bank import EmbeddingBank, bank_of_logits
from dfer_ros.training.courses.config import CoursesConfig
from dfer_ros.training.courses.simulation import CourseSimulator
from dfer_ros.training.head.batches import HeadBatch, HeadBatches
from dfer_ros.training.head.create_head import HeadConfig, create_head
from dfer_ros.training.head.trainable_head import TOLD_PHASES, TrainableHead
from dfer_ros.training.run import TrainingRun
from dfer_ros.training.task import Schedule, Task

DECAYS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds from which the decay of the weighted mean is chosen."""

_PHASE_BALANCE = 0.7
"""0 takes phases as often as they are, 1 all equally."""


class Classifier(NamedTuple):
    """The layer that makes a frame encoder's logits: weight [7, D], bias [7]; the temperature that calibrates them."""

    weight: FloatArray
    bias: FloatArray
    temperature: float


@dataclass(frozen=True)
class HeadScheduleConfig:
    """steps: of one batch each. clip_share: 0..1, part of a batch that comes from clips.

    learning_rate: falls to zero along a cosine. label_smoothing: 0..1, of the labels of clips.
    intensity, phase: weights of their losses beside that of the class.
    """

    steps: int = 600
    batch_size: int = 128
    clip_share: float = 0.5
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    intensity: float = 2.0
    phase: float = 1.0
    log_steps: int = 100
    checkpoint_steps: int = 200

    def __post_init__(self) -> None:
        if min(self.batch_size, self.log_steps, self.checkpoint_steps) < 1 or self.steps < 0 or self.learning_rate <= 0:
            raise TrainingError(
                "A head's schedule needs batch_size, log_steps and checkpoint_steps of 1 or more, steps of 0 or more, "
                "and a learning_rate above 0."
            )
        if not 0 <= self.clip_share <= 1 or not 0 <= self.label_smoothing < 1:
            raise TrainingError("A head's schedule needs a clip_share of 0 to 1 and a label_smoothing of 0 to below 1.")


@dataclass(frozen=True)
class HeadTrainingConfig:
    """All of a run but the data: what a YAML file of kind head says.

    head.decay_seconds is where the head starts; the decay that suits the training clips takes its place.
    logit_adjustment: by label, what is added to the logits of the trained head: how much likelier a class is where the
    head is used than where it was trained (Menon et al. 2021).
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    courses: CoursesConfig = field(default_factory=CoursesConfig)
    schedule: HeadScheduleConfig = field(default_factory=HeadScheduleConfig)
    window_seconds: float = 2.0
    window_frames: int = 32
    logit_adjustment: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = sorted(set(self.logit_adjustment) - set(LABELS))
        if unknown:
            raise TrainingError(f"A head's logit_adjustment names {', '.join(unknown)}: use {', '.join(LABELS)}.")
        if not all(map(math.isfinite, self.logit_adjustment.values())):
            raise TrainingError("A head's logit_adjustment has a number that is not finite: give one for each label.")
        if self.window_seconds <= 0 or self.window_frames < 1 or self.seed < 0:
            raise TrainingError("A head needs window_seconds above 0, window_frames of 1 or more and a seed from 0 on.")

    @property
    def window(self) -> WindowConfig:
        """The windows that the head is trained for."""
        return WindowConfig(self.window_seconds, self.window_frames)


def train_head(
    config: HeadTrainingConfig,
    classifier: Classifier,
    bank: EmbeddingBank,
    clips: Sequence[ClipEmbeddings],
    held_out: str | None,
    output: Path | None = None,
    console: Console | None = None,
) -> TrainableHead:
    """Return a head trained on courses from a bank and on the clips of all sources but `held_out`, None for all.

    output: folder of checkpoint and log; None keeps nothing. A run whose folder has a checkpoint goes on from it, to
    the same result. Raises TrainingError where the checkpoint is of another configuration, or cannot be read or
    written.
    """
    kept = [clip for clip in clips if clip.source != held_out]
    decay = choose_decay(config, classifier, kept)
    head_config = replace(config.head, decay_seconds=decay)
    torch.manual_seed(config.seed)
    head = create_head(head_config, *classifier)
    task = _HeadTask(config, head_config, classifier, bank, kept, held_out, of_logits=not head.uses_embeddings)
    TrainingRun(task, output, console).run()
    learned = {name: value for name, value in task.model.state_dict().items() if name not in ("weight", "bias")}
    head.load_state_dict(learned, strict=False)
    head.adjustment = torch.tensor([config.logit_adjustment.get(label, 0.0) for label in LABELS])
    return head.eval()


def choose_decay(config: HeadTrainingConfig, classifier: Classifier, clips: Sequence[ClipEmbeddings]) -> float:
    """Return the decay of DECAYS with which the weighted mean answers most of some clips; among equals the surest."""
    windows = [clip_windows(clip, config.window, of_logits=True) for clip in clips if len(clip)]
    if not windows:
        return config.head.decay_seconds
    scores = []
    for decay in DECAYS:
        answers = head_answers(weighted_mean(decay, classifier.temperature), windows)
        right = np.mean([answer.predicted == answer.label for answer in answers])
        sureness = np.mean([np.log(max(float(answer.answer[answer.label]), 1e-6)) for answer in answers])
        scores.append((float(right), float(sureness)))
    return DECAYS[max(range(len(DECAYS)), key=scores.__getitem__)]


def weighted_mean(decay_seconds: float, temperature: float) -> TrainableHead:
    """Return the weighted mean as a head over the logits of frames in place of their embeddings."""
    return create_head(HeadConfig("weighted_mean", decay_seconds=decay_seconds), *_of_logits(temperature)).eval()


def _of_logits(temperature: float) -> Classifier:
    return Classifier(np.eye(len(LABELS), dtype=np.float32), np.zeros(len(LABELS), dtype=np.float32), temperature)


class _HeadTask(Task[HeadBatch]):
    """A head. of_logits: whether it sees logits only, so that they can stand for embeddings, which is faster."""

    model: TrainableHead
    learned = "head"

    def __init__(
        self,
        config: HeadTrainingConfig,
        head: HeadConfig,
        classifier: Classifier,
        bank: EmbeddingBank,
        clips: Sequence[ClipEmbeddings],
        held_out: str | None,
        of_logits: bool,
    ) -> None:
        self._config, self.seed, self.schedule = config.schedule, config.seed, _schedule(config.schedule)
        if of_logits:
            bank = bank_of_logits(bank, classifier.weight, classifier.bias)
            classifier = _of_logits(classifier.temperature)
        windows: list[ClipWindows] = [clip_windows(clip, config.window, of_logits) for clip in clips]
        courses = CourseSimulator(bank, config.courses, config.window)
        share, smoothing = config.schedule.clip_share, config.schedule.label_smoothing
        self._batches = HeadBatches(courses, windows, config.schedule.batch_size, share, smoothing, config.seed)
        torch.manual_seed(config.seed)
        self.model = create_head(head, *classifier)
        self.signature = repr((asdict(config), asdict(head), held_out, len(bank), len(clips)))

    def batches(self, steps: range) -> Iterator[HeadBatch]:
        """Return windows of simulated courses and of clips."""
        return map(self._batches.batch, steps)

    def losses(self, batch: HeadBatch, step: int) -> dict[str, torch.Tensor]:
        """Return the loss of the class, and of intensity and phase where they are known."""
        output = self.model(batch.embeddings, batch.ages, batch.mask)
        simulated = len(batch.phase)
        classes = nn.functional.cross_entropy(output.logits, batch.targets)
        if not simulated:
            return {"loss": classes, "class_loss": classes}
        intensity = nn.functional.mse_loss(output.intensity[:simulated], batch.intensity)
        phase = nn.functional.cross_entropy(output.phase[:simulated], batch.phase, _phase_weights(batch.phase))
        loss = classes + self._config.intensity * intensity + self._config.phase * phase
        return {"loss": loss, "class_loss": classes, "intensity_loss": intensity, "phase_loss": phase}

    def measure(self, step: int, losses: Sequence[Mapping[str, float]], model: nn.Module) -> dict[str, float]:
        """Return the losses of the last step."""
        return {"step": step, **losses[-1]}


def _schedule(config: HeadScheduleConfig) -> Schedule:
    return Schedule(
        steps=config.steps,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        log_steps=config.log_steps,
        checkpoint_steps=config.checkpoint_steps,
        gradient_norm=1.0,
    )


def _phase_weights(phase: torch.Tensor) -> torch.Tensor:
    """Return weights [4] that make rare phases, onset and offset, count more."""
    return (torch.bincount(phase, minlength=len(TOLD_PHASES)) + 1.0) ** -_PHASE_BALANCE
