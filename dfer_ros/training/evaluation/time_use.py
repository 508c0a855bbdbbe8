"""Whether a head uses time: clips as recorded, shuffled, reversed and frozen, beside two heads without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.core.window import WindowConfig
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.evaluation.clip_answers import answers_and_labels, groups
from dfer_ros.training.evaluation.clips import frame_temperature
from dfer_ros.training.evaluation.window_replay import (
    WeightedMean,
    WindowHead,
    frozen,
    on_frame_logits,
    replayed_answers,
    reversed_in_time,
    shuffled,
)

SHIPPED = "shipped head"
WEIGHTED_MEAN = "weighted mean"
NEWEST_FRAME = "newest frame alone"
RECORDED = "as recorded"
DECAY_SECONDS = 0.8
"""Of the weighted mean that heads are compared with."""
_SHUFFLES = 5


@dataclass(frozen=True)
class Recalls:
    """WAR and UAR 0..1, their means over the seeds where there are several, and their standard deviations."""

    accuracy: float
    uar: float
    accuracy_deviation: float
    uar_deviation: float


@dataclass(frozen=True)
class TimeUse:
    """temperatures: by head, that of its probabilities, whose mean answers a video.

    recalls: by head, by order of the frames, and by group of clips (all videos, or a source).
    """

    temperatures: dict[str, float]
    recalls: dict[str, dict[str, dict[str, Recalls]]]


def measure_time_use(
    clips: Sequence[ClipEmbeddings],
    head: WindowHead,
    config: WindowConfig,
    temperature: float,
    seed: int,
    console: Console,
) -> TimeUse:
    """Return the recalls of the shipped head and of two without training, by order of the frames and group.

    temperature: of the model, which was fitted on the frames of videos whose source the head had not seen. The two
    without training have seen none, so theirs are fitted on the frames of these videos, as recorded.
    """
    on_logits = [on_frame_logits(clip) for clip in clips]
    heads: dict[str, tuple[WindowHead, Sequence[ClipEmbeddings]]] = {
        SHIPPED: (head, clips),
        WEIGHTED_MEAN: (WeightedMean(DECAY_SECONDS), on_logits),
        NEWEST_FRAME: (WeightedMean(0.0), on_logits),
    }
    temperatures = {SHIPPED: temperature}
    for name in (WEIGHTED_MEAN, NEWEST_FRAME):
        temperatures[name] = frame_temperature(replayed_answers(on_logits, heads[name][0], config, 1.0))
    orders = _orders(seed)
    steps = [(name, order) for name in heads for order in orders]
    recalls: dict[str, dict[str, dict[str, Recalls]]] = {name: {} for name in heads}
    for name, order in track(steps, description="time", console=console, transient=True):
        one, of_clips = heads[name]
        changed = [[perturb(clip) for clip in of_clips] for perturb in orders[order]]
        runs = [_recalls(clips_of_run, one, config, temperatures[name]) for clips_of_run in changed]
        recalls[name][order] = {group: _summary([run[group] for run in runs]) for group in runs[0]}
    return TimeUse(temperatures, recalls)


def _orders(seed: int) -> Mapping[str, list[Callable[[ClipEmbeddings], ClipEmbeddings]]]:
    def shuffle(number: int) -> Callable[[ClipEmbeddings], ClipEmbeddings]:
        return lambda clip: shuffled(clip, number)

    return {
        RECORDED: [lambda clip: clip],
        "shuffled": [shuffle(seed + number) for number in range(_SHUFFLES)],
        "reversed": [reversed_in_time],
        "frozen": [frozen],
    }


def _recalls(
    clips: Sequence[ClipEmbeddings], head: WindowHead, config: WindowConfig, temperature: float
) -> dict[str, tuple[float, float]]:
    recalls = {}
    for name, group in groups(replayed_answers(clips, head, config, temperature)).items():
        predicted, labels = answers_and_labels(group)
        recalls[name] = accuracy(predicted, labels), unweighted_average_recall(predicted, labels)
    return recalls


def _summary(runs: Sequence[tuple[float, float]]) -> Recalls:
    rows = np.array(runs)
    means, deviations = rows.mean(axis=0).tolist(), rows.std(axis=0).tolist()
    return Recalls(*means, *deviations)
