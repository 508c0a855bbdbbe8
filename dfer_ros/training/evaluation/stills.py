"""Stills through the encoder: a prepared set at several input sizes, and the calibration of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.recall import Labels
from dfer_ros.training.data.prepared_set import PreparedSet, open_prepared_set
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.calibration import CalibrationMetrics, calibration_metrics
from dfer_ros.training.evaluation.metrics import ClassificationMetrics, classification_metrics
from dfer_ros.training.evaluation.verdict import Verdict, compare_answers
from dfer_ros.training.experiments.peers import Peer

StillHead = Callable[[FloatArray], FloatArray]
"""Embeddings [N, D] to the logits [N, 7] of windows that hold one frame each."""

INPUT_SIZES = (64, 80, 96, 112, 128)
_CHUNK = 64
"""Crops held in memory at a time."""


@dataclass(frozen=True)
class EncoderOnStills:
    """by_size: metrics of the encoder's own logits by input size in pixels.

    calibration: of what the robot answers, by the head, to one frame at the size that is shipped.
    """

    by_size: dict[int, ClassificationMetrics]
    calibration: CalibrationMetrics


@dataclass(frozen=True)
class StillResults:
    """A set, how good the encoder is on it by precision, and how good peers are.

    hard: metrics at the shipped size by tag of the stills, and in it by precision and peer. verdicts: over every peer
    and other model, which is among the peers.
    """

    name: str
    split: str
    count: int
    by_precision: dict[str, EncoderOnStills]
    peers: dict[str, ClassificationMetrics]
    hard: dict[str, dict[str, ClassificationMetrics]]
    verdicts: list[Verdict]


@dataclass(frozen=True)
class StillModels:
    """What answers about stills.

    encoders: of the model, by precision; the first is compared with all others. head: the model's. others: encoders of
    other models, by name. shipped_size: input size of the model in pixels. temperature: that of the head's logits.
    """

    encoders: Mapping[str, EncoderSession]
    head: StillHead
    peers: Sequence[Peer]
    others: Mapping[str, EncoderSession]
    shipped_size: int
    temperature: float


def open_evaluation_split(folder: Path) -> PreparedSet:
    """Return the split of a prepared set to evaluate on: test where there is one, else validation.

    Raises DataError where the set is missing or has neither.
    """
    prepared = open_prepared_set(folder)
    for name in ("test", "validation"):
        split = prepared.split(name)
        if split.samples:
            return split
    raise DataError(f"The prepared set {folder} has no test or validation split: give one that was kept from training.")


def evaluate_stills(folder: Path, models: StillModels, seed: int, console: Console) -> StillResults:
    """Return the results on the evaluation split of a prepared set. seed: of the resamples for the verdicts."""
    prepared = open_evaluation_split(folder)
    encoders, shipped_size = models.encoders, models.shipped_size
    labels = np.array([sample.label for sample in prepared.samples], dtype=np.int64)
    sizes = sorted({*INPUT_SIZES, shipped_size})
    rows: dict[tuple[str, int], list[FloatArray]] = {(name, size): [] for name in encoders for size in sizes}
    by_head: dict[str, list[FloatArray]] = {name: [] for name in encoders}
    answers: dict[str, list[Labels]] = {name: [] for name in (*models.others, *(peer.name for peer in models.peers))}
    for crops in _chunks(prepared, console):
        for name, size in rows:
            outputs = encoders[name].run(crops, size)
            rows[name, size].append(outputs.logits)
            if size == shipped_size:
                by_head[name].append(models.head(outputs.embeddings))
        for name, encoder in models.others.items():
            answers[name].append(encoder.run(crops).logits.argmax(axis=1))
        for peer in models.peers:
            answers[peer.name].append(peer.probabilities(crops).argmax(axis=1))
    predicted = {name: np.concatenate(rows[name, shipped_size]).argmax(axis=1) for name in encoders}
    predicted |= {name: np.concatenate(parts) for name, parts in answers.items()}
    ours = predicted[next(iter(encoders))]
    return StillResults(
        prepared.name,
        prepared.samples[0].split,
        len(labels),
        {
            name: EncoderOnStills(
                {
                    size: classification_metrics(np.concatenate(rows[name, size]).argmax(axis=1), labels)
                    for size in sizes
                },
                _calibration(np.concatenate(by_head[name]), labels, models.temperature),
            )
            for name in encoders
        },
        {name: classification_metrics(predicted[name], labels) for name in answers},
        _by_tag(prepared, predicted, labels),
        [compare_answers(prepared.name, name, ours, predicted[name], labels, seed) for name in answers],
    )


def _by_tag(
    prepared: PreparedSet, predicted: Mapping[str, Labels], labels: Labels
) -> dict[str, dict[str, ClassificationMetrics]]:
    """Return the metrics on the stills of each tag, by who answered."""
    results = {}
    for tag in sorted({tag for sample in prepared.samples for tag in sample.tags}):
        rows = np.array([tag in sample.tags for sample in prepared.samples])
        results[tag] = {name: classification_metrics(one[rows], labels[rows]) for name, one in predicted.items()}
    return results


def _calibration(logits: FloatArray, labels: Labels, temperature: float) -> CalibrationMetrics:
    before, after = calibrated_probabilities(logits, 1.0), calibrated_probabilities(logits, temperature)
    return calibration_metrics(before, after, labels)


def _chunks(prepared: PreparedSet, console: Console) -> Iterable[list[Image]]:
    starts = range(0, len(prepared.samples), _CHUNK)
    for start in track(starts, description=f"stills {prepared.name}", console=console, transient=True):
        yield [prepared.crop(index) for index in range(start, min(start + _CHUNK, len(prepared.samples)))]
