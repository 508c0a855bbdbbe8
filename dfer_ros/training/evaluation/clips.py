"""Clips through the core pipeline: how good the answers are by source, how sure, and whether time is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.training.clips.embeddings import ClipEmbeddings, embed_clip
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.calibration import (
    CalibrationFloor,
    CalibrationMetrics,
    calibration_floor,
    calibration_metrics,
    fit_temperature,
)
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, answer_clip, answers_and_labels, frame_rows, groups
from dfer_ros.training.evaluation.metrics import (
    ClassificationMetrics,
    Intervals,
    bootstrap_intervals,
    classification_metrics,
)
from dfer_ros.training.experiments.peers import Peer


@dataclass(frozen=True)
class GroupResult:
    """All videos or one source: metrics with one answer a clip, and their confidence intervals over clips."""

    metrics: ClassificationMetrics
    intervals: Intervals


@dataclass(frozen=True)
class LeftOutCalibration:
    """Each source with a temperature fitted on the frames of the videos of the other sources.

    temperatures: by source left out. frames: of all videos, every clip weighing the same. clips: one answer a clip.
    frames_floor: the ECE over frames that exactly calibrated answers would show.
    """

    temperatures: dict[str, float]
    frames: CalibrationMetrics
    frames_floor: CalibrationFloor
    clips: CalibrationMetrics


@dataclass(frozen=True)
class ClipRow:
    """A clip with its label, the answer (index into LABELS, -1 without a face) and the probability of that answer."""

    name: str
    source: str
    frames: int
    label: int
    predicted: int
    confidence: float


@dataclass(frozen=True)
class AnsweredClips:
    """The clips as seen once: answers by precision and by peer, and what the first precision's encoder made of them."""

    by_precision: dict[str, list[ClipAnswer]]
    by_peer: dict[str, list[ClipAnswer]]
    embeddings: list[ClipEmbeddings]


def answer_all(
    clips: Iterable[ClipFaces],
    recognizers: Mapping[str, Recognizer],
    encoder: EncoderSession,
    peers: Sequence[Peer],
    others: Mapping[str, Recognizer],
) -> AnsweredClips:
    """Return what every recognizer, by precision, every peer and every other model answers; each clip is seen once.

    others: recognizers of other models, by name; they are among the peers.
    """
    names = [*others, *(peer.name for peer in peers)]
    answered = AnsweredClips({name: [] for name in recognizers}, {name: [] for name in names}, [])
    for faces in clips:
        answered.embeddings.append(embed_clip(faces, encoder))
        for name, recognizer in recognizers.items():
            answered.by_precision[name].append(answer_clip(faces, recognizer))
        for name, recognizer in others.items():
            answered.by_peer[name].append(answer_clip(faces, recognizer))
        for peer in peers:
            rows = peer.probabilities(faces.crops)
            answered.by_peer[peer.name].append(ClipAnswer(faces.name, faces.label, faces.source, rows, faces.kind))
    return answered


def group_results(answers: Sequence[ClipAnswer], seed: int) -> dict[str, GroupResult]:
    """Return the results on all videos and on each source, by name."""
    results = {}
    for name, group in groups(answers).items():
        predicted, labels = answers_and_labels(group)
        results[name] = GroupResult(
            classification_metrics(predicted, labels), bootstrap_intervals(predicted, labels, seed)
        )
    return results


def clip_rows(answers: Sequence[ClipAnswer]) -> list[ClipRow]:
    """Return one row for each clip, in their order."""
    return [
        ClipRow(
            answer.name,
            answer.source,
            len(answer.probabilities),
            answer.label,
            answer.predicted,
            float(answer.answer.max()),
        )
        for answer in answers
    ]


def left_out_calibration(answers: Sequence[ClipAnswer], temperature: float) -> LeftOutCalibration | None:
    """Return the calibration with every source left out in turn; None where there are videos of one source only.

    temperature: with which the probabilities of the answers were made.
    """
    answers = [answer for answer in answers if len(answer.probabilities)]
    if len({answer.source for answer in answers if answer.video}) < 2:
        return None
    unscaled = [at_temperature(answer, temperature, 1.0) for answer in answers]
    temperatures = {source: _fitted_without(unscaled, source) for source in sorted({a.source for a in answers})}
    scaled = [at_temperature(answer, 1.0, temperatures[answer.source]) for answer in unscaled]
    before, labels, weights = frame_rows([answer for answer in unscaled if answer.video])
    after, _, _ = frame_rows([answer for answer in scaled if answer.video])
    return LeftOutCalibration(
        temperatures,
        calibration_metrics(before, after, labels, weights),
        calibration_floor([answer.probabilities for answer in scaled if answer.video]),
        calibration_metrics(_answers(unscaled), _answers(scaled), answers_and_labels(answers)[1]),
    )


def frame_temperature(answers: Sequence[ClipAnswer]) -> float:
    """Return the temperature that suits answers best that were made at temperature 1.

    It is fitted on the frames of the videos, every clip weighing the same; 1 where there are none.
    """
    probabilities, labels, weights = frame_rows([answer for answer in answers if answer.video])
    return fit_temperature(logits_of(probabilities), labels, weights) if len(labels) else 1.0


def _fitted_without(unscaled: Sequence[ClipAnswer], source: str) -> float:
    return frame_temperature([answer for answer in unscaled if answer.source != source])


def at_temperature(answer: ClipAnswer, made_with: float, temperature: float) -> ClipAnswer:
    """Return an answer whose probabilities were made with one temperature as another one makes them."""
    logits = made_with * logits_of(answer.probabilities)
    return replace(answer, probabilities=calibrated_probabilities(logits, temperature))


def logits_of(probabilities: FloatArray) -> FloatArray:
    """Return logits that have these probabilities at temperature 1."""
    return np.log(np.maximum(probabilities, 1e-12))


def _answers(answers: Sequence[ClipAnswer]) -> FloatArray:
    return np.stack([answer.answer for answer in answers])
