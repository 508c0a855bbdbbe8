"""The one loop behind all trainings: a run takes the steps of a task, can be stopped, and goes on exactly."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dfer_ros.core.atomic_file import make_folder, whole_path
from dfer_ros.core.errors import TrainingError, first_line
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.task import Batch, Task, learning_rate

_LOSSES_SHOWN = 50


class TrainingRun(Generic[Batch]):
    """A training that can be stopped at any moment and goes on from its last checkpoint with the same result.

    output: folder of checkpoint and log; None keeps nothing. console: shows how far it is; None: nothing does.
    """

    def __init__(self, task: Task[Batch], output: Path | None, console: Console | None) -> None:
        self.task, self._output, self._console = task, output, console
        self._optimizer = task.optimizer()
        self._average: AveragedModel | None = None
        if task.schedule.average is not None:
            average = get_ema_multi_avg_fn(task.schedule.average)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(task.model, multi_avg_fn=average, use_buffers=True)
        self.step = 0

    def run(self) -> None:
        """Train to the last step, from the checkpoint in the output folder if there is one.

        Raises TrainingError where the checkpoint is of another run, or cannot be read or written.
        """
        task, schedule, log = self.task, self.task.schedule, None
        if self._output is not None:
            make_folder(self._output)
            self._resume(self._output / CHECKPOINT_FILE)
            log = TrainingLog(self._output, self.step)
        averaged = task.model if self._average is None else self._average.module
        batches = task.batches(range(self.step, schedule.steps))
        losses: list[dict[str, float]] = []
        with _progress(self._console, schedule.steps, self.step) as advance:
            for batch in batches:
                losses.append(self._train(batch))
                self.step += 1
                advance(f"loss {np.mean([one['loss'] for one in losses[-_LOSSES_SHOWN:]]):.3f}")
                last = self.step == schedule.steps
                if log is not None and (self.step % schedule.log_steps == 0 or last):
                    log.add(task.measure(self.step, losses, averaged), last)
                    losses.clear()
                # After the log: a row that no checkpoint knows of is measured again, but none is missing.
                if self._output is not None and (self.step % schedule.checkpoint_steps == 0 or last):
                    self.save(self._output / CHECKPOINT_FILE)

    def save(self, path: Path) -> None:
        """Write a checkpoint. Raises TrainingError where it cannot be written; the one before stays."""
        state = {
            **self.task.state(),
            "step": self.step,
            "model": self.task.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        if self._average is not None:
            state["average"] = self._average.state_dict()
        save_checkpoint(path, state)

    def _train(self, batch: Batch) -> dict[str, float]:
        task, schedule = self.task, self.task.schedule
        torch.manual_seed(task.seed * 1_000_003 + self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self.step, schedule) * group.get("scale", 1.0)
        task.model.train()
        losses = task.losses(batch, self.step)
        self._optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        if schedule.gradient_norm is not None:
            nn.utils.clip_grad_norm_(task.model.parameters(), schedule.gradient_norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(task.model)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _resume(self, path: Path) -> None:
        if not path.is_file():
            return
        state = load_checkpoint(path)
        difference = self.task.difference(state)
        if difference is not None:
            raise TrainingError(
                f"The checkpoint {path} is of {difference}: choose another --name, or delete that folder."
            )
        try:
            self.task.model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            if self._average is not None:
                self._average.load_state_dict(state["average"])
            self.step = state["step"]
        except (KeyError, RuntimeError, ValueError) as error:
            raise TrainingError(
                f"The checkpoint {path} is not of this version ({first_line(error)}): choose another --name, or delete "
                "that folder."
            ) from error


@contextmanager
def _progress(console: Console | None, steps: int, start: int) -> Iterator[Callable[[str], None]]:
    """Show a bar from step `start` to `steps`; yield a function that advances it by one step and says a few words."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, disable=console is None) as progress:
        task = progress.add_task("training", total=steps, completed=start, words="")
        yield lambda words: progress.update(task, advance=1, words=words)


LOG_FILE = "log.csv"
CURVES_FILE = "curves.png"
_DRAWN_SECONDS = 10.0
"""How old the curves may get: drawing takes half a second, as long as a hundred steps of a head."""


class TrainingLog:
    """Rows of numbers by step, in log.csv of a folder. start: the step of the checkpoint; later rows are dropped."""

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        self.rows = [row for row in _read_log(folder / LOG_FILE) if row["step"] <= start]
        self._drawn = time.monotonic()

    def add(self, row: dict[str, float], last: bool) -> None:
        """Append a row and draw the curves anew if they have become old or it is the last row.

        Raises TrainingError where they cannot be written.
        """
        self.rows.append(row)
        columns = list(dict.fromkeys(name for one in self.rows for name in one))
        with whole_path(self._folder / LOG_FILE) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({name: f"{value:.6g}" for name, value in one.items()} for one in self.rows)
        if last or time.monotonic() - self._drawn > _DRAWN_SECONDS:
            with whole_path(self._folder / CURVES_FILE) as part:
                draw_curves(self.rows, part)
            self._drawn = time.monotonic()


def draw_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Draw the losses (one panel) and the accuracies (another) of a log over its steps."""
    from matplotlib.figure import Figure  # here: it takes a second, and a run logs late

    losses = [name for name in rows[0] if "loss" in name]
    others = [name for name in rows[-1] if name not in losses and name not in ("step", "learning_rate")]
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    panels = figure.subplots(1, 2)
    for panel, names, title in zip(panels, (losses, others), ("Loss", "Validation (%)")):
        for name in names:
            points = [(row["step"], row[name]) for row in rows if name in row]
            panel.plot(*zip(*points), marker="o", markersize=3, label=name.replace("_", " "))
        panel.set(title=title, xlabel="Step")
        panel.grid(alpha=0.3)
        if names:
            panel.legend(fontsize=8)
    figure.savefig(path, dpi=100)


def _read_log(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (ValueError, TypeError) as error:
            raise TrainingError(f"{path} is not the log of a run ({error}): move it away.") from error
    if any("step" not in row for row in rows):
        raise TrainingError(f"{path} is not the log of a run (it has no column step): move it away.")
    return rows
