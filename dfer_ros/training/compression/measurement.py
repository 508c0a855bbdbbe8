"""How good and how fast the variants of an encoder are, measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.latency import BLOCKS, median_milliseconds
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import ModelDescription
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.core.recall import Labels, accuracy, unweighted_average_recall
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.session import EncoderSession

_CHUNK = 64
"""Crops held in memory at a time."""


@dataclass(frozen=True)
class Accuracy:
    """war, uar: percent by name of the set. agreement: percent of the answers that are those of the first variant."""

    war: dict[str, float]
    uar: dict[str, float]
    agreement: float

    @property
    def mean_war(self) -> float:
        """Mean over the sets."""
        return float(np.mean(list(self.war.values())))


def measure_accuracy(
    encoders: Mapping[str, Path], sets: Sequence[PreparedSet], description: ModelDescription, console: Console
) -> dict[str, Accuracy]:
    """Return the accuracy of encoders, by name, on all samples of prepared sets."""
    sessions = {name: EncoderSession(path, description) for name, path in encoders.items()}
    answers = [_answers(sessions, prepared, console) for prepared in sets]
    first = next(iter(encoders))
    measured = {}
    for name in encoders:
        war, uar, same = {}, {}, []
        for prepared, predicted in zip(sets, answers):
            labels = np.array([sample.label for sample in prepared.samples], dtype=np.int64)
            war[prepared.name] = 100 * accuracy(predicted[name], labels)
            uar[prepared.name] = 100 * unweighted_average_recall(predicted[name], labels)
            same.append(predicted[name] == predicted[first])
        measured[name] = Accuracy(war, uar, 100 * float(np.mean(np.concatenate(same))))
    return measured


def measure_latency(
    encoders: Mapping[str, Path], crop: Image, description: ModelDescription, console: Console
) -> dict[str, float]:
    """Return the median milliseconds of one aligned crop in one thread, network only, all encoders in one run."""
    image = preprocess([crop], description)
    sessions = {name: create_session(path, SessionConfig()) for name, path in encoders.items()}
    calls = {name: partial(session.run, ["embedding"], {"image": image}) for name, session in sessions.items()}
    return median_milliseconds(calls, track(BLOCKS, description="timing", console=console, transient=True))


def _answers(sessions: Mapping[str, EncoderSession], prepared: PreparedSet, console: Console) -> dict[str, Labels]:
    rows: dict[str, list[FloatArray]] = {name: [] for name in sessions}
    starts = range(0, len(prepared.samples), _CHUNK)
    for start in track(starts, description=f"measuring on {prepared.name}", console=console, transient=True):
        crops = [prepared.crop(index) for index in range(start, min(start + _CHUNK, len(prepared.samples)))]
        for name, session in sessions.items():
            rows[name].append(session.run(crops).logits)
    return {name: np.concatenate(parts).argmax(axis=1) for name, parts in rows.items()}
