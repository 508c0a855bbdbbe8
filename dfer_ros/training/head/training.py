"""Training of a temporal head on simulated courses and on the clips of all sources but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.atomic_file import make_folder
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.window import WindowConfig
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.clips.windows import ClipWindows, clip_windows, head_answers
from dfer_ros.training.courses.bank import EmbeddingBank, bank_of_logits
from dfer_ros.training.courses.config import CoursesConfig
from dfer_ros.training.courses.courses import Courses
from dfer_ros.training.head.batches import HeadBatch, HeadBatches
from dfer_ros.training.head.create_head import HeadConfig, create_head
from dfer_ros.training.head.trainable_head import TOLD_PHASES, TrainableHead
from dfer_ros.training.log import TrainingLog
from dfer_ros.training.progress import training_progress

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
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    courses: CoursesConfig = field(default_factory=CoursesConfig)
    schedule: HeadScheduleConfig = field(default_factory=HeadScheduleConfig)
    window_seconds: float = 2.0
    window_frames: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
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
    """Return a head trained on courses from a bank and on the clips of all sources but `held_out`.

    output: folder of checkpoint and log; None keeps nothing. A run whose folder has a checkpoint goes on from it, to
    the same result. Raises TrainingError where the checkpoint is of another configuration, or cannot be read or
    written.
    """
    kept = [clip for clip in clips if clip.source != held_out]
    decay = choose_decay(config, classifier, kept)
    head_config = replace(config.head, decay_seconds=decay)
    torch.manual_seed(config.seed)
    head = create_head(head_config, *classifier)
    training = _Training(config, head_config, classifier, bank, kept, held_out, of_logits=not head.uses_embeddings)
    trained = training.run(output, console or Console(quiet=True))
    learned = {name: value for name, value in trained.state_dict().items() if name not in ("weight", "bias")}
    head.load_state_dict(learned, strict=False)
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


class _Training:
    """One run. of_logits: whether the head sees logits only, so that they can stand for embeddings, which is faster."""

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
        schedule = config.schedule
        if of_logits:
            bank = bank_of_logits(bank, classifier.weight, classifier.bias)
            classifier = _of_logits(classifier.temperature)
        windows: list[ClipWindows] = [clip_windows(clip, config.window, of_logits) for clip in clips]
        courses = Courses(bank, config.courses, config.window)
        self.batches = HeadBatches(
            courses, windows, schedule.batch_size, schedule.clip_share, schedule.label_smoothing, config.seed
        )
        torch.manual_seed(config.seed)
        self.head = create_head(head, *classifier)
        self.optimizer = torch.optim.AdamW(self.head.parameters(), schedule.learning_rate)
        self.schedule = schedule
        # What must be the same for a run to go on.
        self.signature = repr((asdict(config), asdict(head), held_out, len(bank), len(clips)))
        self.step = 0

    def run(self, output: Path | None, console: Console) -> TrainableHead:
        """Train to the last step, from the checkpoint in the output folder if there is one."""
        log = None
        if output is not None:
            make_folder(output)
            self._resume(output / CHECKPOINT_FILE)
            log = TrainingLog(output, self.step)
        with training_progress(console, self.schedule.steps, self.step) as advance:
            while self.step < self.schedule.steps:
                losses = self._train(self.batches.batch(self.step))
                self.step += 1
                advance(f"loss {losses['loss']:.3f}")
                last = self.step == self.schedule.steps
                if log is not None and (self.step % self.schedule.log_steps == 0 or last):
                    log.add({"step": self.step, **losses})
                if output is not None and (self.step % self.schedule.checkpoint_steps == 0 or last):
                    self._save(output / CHECKPOINT_FILE)
        return self.head.eval()

    def _train(self, batch: HeadBatch) -> dict[str, float]:
        schedule = self.schedule
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.learning_rate * 0.5 * (1.0 + float(np.cos(np.pi * self.step / schedule.steps)))
            group["weight_decay"] = schedule.weight_decay
        self.head.train()
        output = self.head(batch.embeddings, batch.ages, batch.mask)
        simulated = len(batch.phase)
        classes = nn.functional.cross_entropy(output.logits, batch.targets)
        loss = classes
        parts = {"class_loss": float(classes.detach())}
        if simulated:
            intensity = nn.functional.mse_loss(output.intensity[:simulated], batch.intensity)
            phase = nn.functional.cross_entropy(output.phase[:simulated], batch.phase, _phase_weights(batch.phase))
            loss = loss + schedule.intensity * intensity + schedule.phase * phase
            parts |= {"intensity_loss": float(intensity.detach()), "phase_loss": float(phase.detach())}
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimizer.step()
        return {"loss": float(loss.detach()), **parts}

    def _save(self, path: Path) -> None:
        state: dict[str, Any] = {
            "signature": self.signature,
            "step": self.step,
            "model": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        save_checkpoint(path, state)

    def _resume(self, path: Path) -> None:
        if not path.is_file():
            return
        state = load_checkpoint(path)
        if state.get("signature") != self.signature:
            raise TrainingError(
                f"The checkpoint {path} is of another head, configuration or data: choose another --name, or delete "
                "that folder."
            )
        self.head.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def _phase_weights(phase: torch.Tensor) -> torch.Tensor:
    """Return weights [4] that make rare phases, onset and offset, count more."""
    return (torch.bincount(phase, minlength=len(TOLD_PHASES)) + 1.0) ** -_PHASE_BALANCE
