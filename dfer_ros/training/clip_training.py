"""Training of the clip-wise baseline, a 3D CNN over windows of crops, on the clips of all sources but one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.augmentation import AugmentationConfig
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.clip_batches import ClipBatches, ClipWindowConfig, answered_frames, clip_tensor, window_images
from dfer_ros.training.clip_faces import ClipFaces
from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.heads.conv3d import Conv3d, Conv3dConfig
from dfer_ros.training.training_log import TrainingLog
from dfer_ros.training.training_progress import training_progress

_ONE_PERSON_IN_ONE_LIGHT = AugmentationConfig(
    low_resolution=0.0, blur=0.0, jpeg=0.0, noise=0.0, occlusion=0.0, exposure=0.8, grey=0.3
)


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


@dataclass(frozen=True)
class ClipTrainingConfig:
    """All of a training but the data.

    augmentation: one draw of it for all frames of a window. stride: between the windows of an answer, as share of a
    window.
    """

    model: Conv3dConfig = field(default_factory=Conv3dConfig)
    window: ClipWindowConfig = field(default_factory=ClipWindowConfig)
    augmentation: AugmentationConfig = _ONE_PERSON_IN_ONE_LIGHT
    schedule: ClipScheduleConfig = field(default_factory=ClipScheduleConfig)
    stride: float = 0.5
    seed: int = 0


def train_clip_model(
    config: ClipTrainingConfig,
    clips: Sequence[ClipFaces],
    held_out: str | None,
    output: Path,
    console: Console | None = None,
) -> Conv3d:
    """Return a clip model trained on the clips of all sources but `held_out`.

    output: folder of checkpoint and log. A run whose folder has a checkpoint goes on from it, to the same result.
    Raises TrainingError where there is no face to train on, the checkpoint is of another configuration, or it cannot
    be read or written.
    """
    kept = [clip for clip in clips if clip.source != held_out]
    if not any(len(clip.stamps) for clip in kept):
        raise TrainingError(f"No clip with a face is left to train on when the source '{held_out}' is left out.")
    return _Training(config, kept, held_out).run(output, console or Console(quiet=True))


def clip_model_answers(config: ClipTrainingConfig, model: Conv3d, clips: Sequence[ClipFaces]) -> list[ClipAnswer]:
    """Return what a clip model answers on clips, window after window with the stride of the configuration."""
    stride = config.stride * config.window.seconds
    return [
        ClipAnswer(clip.name, clip.label, clip.source, _probabilities(config, model.eval(), clip, stride))
        for clip in clips
    ]


def _probabilities(config: ClipTrainingConfig, model: Conv3d, clip: ClipFaces, stride: float) -> FloatArray:
    """Return the probabilities [W, 7] of the windows of a clip, none where it has no face."""
    rows = [np.zeros((0, len(LABELS)), dtype=np.float32)]
    device = next(model.parameters()).device
    for end in answered_frames(clip.stamps, stride, config.window).tolist():
        images = window_images(clip, end, config.window)[None]
        with torch.inference_mode():
            rows.append(model(clip_tensor(images, device)).softmax(dim=1).cpu().numpy())
    return np.concatenate(rows)


class _Training:
    def __init__(self, config: ClipTrainingConfig, clips: Sequence[ClipFaces], held_out: str | None) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.batches = ClipBatches(clips, config.window, config.augmentation, config.schedule.batch_size, config.seed)
        self.model = Conv3d(config.model).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), config.schedule.learning_rate, weight_decay=config.schedule.weight_decay
        )
        # What must be the same for a run to go on.
        self.signature = repr((asdict(config), held_out, [(clip.name, len(clip.stamps)) for clip in clips]))
        self.step = 0

    def run(self, output: Path, console: Console) -> Conv3d:
        """Train to the last step, from the checkpoint in the output folder if there is one."""
        schedule = self.config.schedule
        output.mkdir(parents=True, exist_ok=True)
        self._resume(output / CHECKPOINT_FILE)
        log = TrainingLog(output, self.step)
        losses: list[float] = []
        with training_progress(console, schedule.steps, self.step) as advance:
            while self.step < schedule.steps:
                losses.append(self._train())
                self.step += 1
                advance(f"loss {np.mean(losses[-20:]):.3f}")
                last = self.step == schedule.steps
                if self.step % schedule.log_steps == 0 or last:
                    log.add({"step": self.step, "loss": round(float(np.mean(losses)), 4)})
                    losses.clear()
                if self.step % schedule.checkpoint_steps == 0 or last:
                    self._save(output / CHECKPOINT_FILE)
        return self.model.eval()

    def _train(self) -> float:
        schedule = self.config.schedule
        torch.manual_seed(self.config.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.learning_rate * 0.5 * (1.0 + math.cos(math.pi * self.step / schedule.steps))
        windows, labels = self.batches.batch(self.step)
        self.model.train()
        logits = self.model(clip_tensor(windows, self.device))
        targets = torch.from_numpy(labels).to(self.device)
        loss = nn.functional.cross_entropy(logits, targets, label_smoothing=schedule.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(loss.detach())

    def _save(self, path: Path) -> None:
        state = {
            "signature": self.signature,
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        save_checkpoint(path, state)

    def _resume(self, path: Path) -> None:
        if not path.is_file():
            return
        state = load_checkpoint(path)
        if state.get("signature") != self.signature:
            raise TrainingError(
                f"The checkpoint {path} is of another clip model, configuration or data: choose another output folder."
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
