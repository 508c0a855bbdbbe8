"""The loop behind all trainings, with a task as small as one can be: it stops, goes on exactly, and refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training import run
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from dfer_ros.training.run import CURVES_FILE, LOG_FILE, TrainingRun
from dfer_ros.training.task import Schedule, Task, learning_rate

SCHEDULE = Schedule(steps=8, learning_rate=0.1, weight_decay=0.01, log_steps=4, checkpoint_steps=3, warm_up_steps=2)


class CornerTask(Task[tuple[torch.Tensor, torch.Tensor]]):
    """Tells in which corner of a square a point lies."""

    learned = "network of corners"

    def __init__(self, schedule=SCHEDULE, seed=0):
        torch.manual_seed(seed)
        self.schedule, self.seed = schedule, seed
        self.model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4))
        self.signature = repr((schedule, seed))

    def batches(self, steps):
        return map(self._batch, steps)

    def losses(self, batch, step):
        points, corners = batch
        return {"loss": nn.functional.cross_entropy(self.model(points), corners)}

    def _batch(self, step):
        points = np.random.default_rng((self.seed, step)).uniform(-1, 1, (32, 2)).astype(np.float32)
        return torch.from_numpy(points), torch.from_numpy((points > 0) @ np.array([1, 2]))


def train(task, folder=None):
    training = TrainingRun(task, folder, Console(quiet=True))
    training.run()
    return training


def weights(folder, name="model"):
    return load_checkpoint(folder / CHECKPOINT_FILE)[name]


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def stopped(schedule, folder, step):
    """Train, but for the steps from one on."""
    task = CornerTask(schedule)
    real = task.losses

    def losses(batch, at):
        if at == step:
            raise KeyboardInterrupt
        return real(batch, at)

    task.losses = losses
    with pytest.raises(KeyboardInterrupt):
        train(task, folder)


def test_it_learns(tmp_path):
    task = train(CornerTask(replace(SCHEDULE, steps=150)), tmp_path).task
    points, corners = next(iter(task.batches(range(999, 1000))))
    assert (task.model.eval()(points).argmax(dim=1) == corners).float().mean() > 0.9
    assert (tmp_path / CURVES_FILE).stat().st_size > 5000


@pytest.mark.parametrize("average", [None, 0.5])
@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_a_stopped_run_goes_on_with_exactly_the_same_result(tmp_path, average, step):
    schedule = replace(SCHEDULE, average=average, gradient_norm=1.0)
    train(CornerTask(schedule), tmp_path / "whole")
    stopped(schedule, tmp_path / "stopped", step)
    assert train(CornerTask(schedule), tmp_path / "stopped").step == 8
    for name in ("model", "average") if average else ("model",):
        assert same(weights(tmp_path / "whole", name), weights(tmp_path / "stopped", name))


def test_the_average_of_the_weights_follows_them(tmp_path):
    train(CornerTask(replace(SCHEDULE, average=0.5)), tmp_path)
    average, model = weights(tmp_path, "average"), weights(tmp_path)
    assert average["n_averaged"] == 8
    off = [float((average[f"module.{name}"] - value).abs().max()) for name, value in model.items()]
    assert 0 < max(off) < 0.2


def test_a_row_is_the_mean_of_the_losses_since_the_last_one(tmp_path):
    train(CornerTask(), tmp_path)
    rows = (tmp_path / LOG_FILE).read_text().splitlines()
    assert rows[0] == "step,loss" and [row.split(",")[0] for row in rows[1:]] == ["4", "8"]
    losses = []
    task = CornerTask()
    real = task.losses
    task.losses = lambda batch, step: losses.append(real(batch, step)["loss"]) or {"loss": losses[-1]}
    train(task)
    means = [np.mean([loss.item() for loss in part]) for part in (losses[:4], losses[4:])]
    assert [float(row.split(",")[1]) for row in rows[1:]] == pytest.approx(means, abs=1e-4)


@pytest.mark.parametrize(("age", "times"), [(10.0, 1), (-1.0, 2)])
def test_the_curves_are_drawn_at_the_end_and_when_they_are_old(tmp_path, monkeypatch, age, times):
    drawn = []
    monkeypatch.setattr(run, "_DRAWN_SECONDS", age)
    monkeypatch.setattr(run, "draw_curves", lambda rows, path: drawn.append(len(rows)) or path.touch())
    train(CornerTask(), tmp_path)
    assert drawn == [1, 2][-times:]


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train(CornerTask()).step == 8
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_run_or_version_is_refused_in_one_sentence(tmp_path):
    train(CornerTask(), tmp_path)
    with pytest.raises(TrainingError, match="is of another network of corners, configuration or data: choose another"):
        train(CornerTask(seed=1), tmp_path)
    state = load_checkpoint(tmp_path / CHECKPOINT_FILE)
    for broken in ({**state, "model": {}}, {name: value for name, value in state.items() if name != "optimizer"}):
        save_checkpoint(tmp_path / CHECKPOINT_FILE, broken)
        with pytest.raises(TrainingError, match=r"checkpoint\.pt is not of this version \(.*\): choose") as caught:
            train(CornerTask(), tmp_path)
        assert "\n" not in str(caught.value)


def test_a_group_learns_as_many_times_as_fast_as_its_scale_says():
    class Scaled(CornerTask):
        def optimizer(self):
            first, last = self.model[0].parameters(), self.model[3].parameters()
            return torch.optim.AdamW([{"params": first, "scale": 0.0}, {"params": last}], weight_decay=0.0)

    task, begun = Scaled(), Scaled()
    train(task)
    assert same(begun.model[0].state_dict(), task.model[0].state_dict())
    assert not same(begun.model[3].state_dict(), task.model[3].state_dict())


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    schedule = replace(SCHEDULE, steps=100, warm_up_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, schedule) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.001
