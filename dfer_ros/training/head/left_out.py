"""A trained head against the weighted mean of the same embeddings, every source of clips left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.clips.windows import clip_windows, head_answers
from dfer_ros.training.courses.bank import EmbeddingBank
from dfer_ros.training.courses.config import INGREDIENTS
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, answers_and_labels, groups
from dfer_ros.training.evaluation.window_replay import frozen, reversed_in_time, shuffled
from dfer_ros.training.head.trainable_head import TrainableHead
from dfer_ros.training.head.training import Classifier, HeadTrainingConfig, choose_decay, train_head, weighted_mean

HEAD, WEIGHTED_MEAN = "head", "weighted mean"

ORDERS: Mapping[str, Callable[[ClipEmbeddings], ClipEmbeddings]] = {
    "plain": lambda clip: clip,
    "shuffled": lambda clip: shuffled(clip, seed=0),
    "reversed": reversed_in_time,
    "frozen": frozen,
}


@dataclass(frozen=True)
class ComparisonRow:
    """What one head answers on the clips of one left-out source, or on all videos, in one order of their frames.

    head: HEAD or WEIGHTED_MEAN. order: a key of ORDERS. war, uar: 0..1. loss: mean negative logarithm of the
    probability of the label, which tells apart what few clips cannot.
    """

    source: str
    head: str
    order: str
    clips: int
    war: float
    uar: float
    loss: float


def loso_table(
    config: HeadTrainingConfig,
    classifier: Classifier,
    bank: EmbeddingBank,
    clips: Sequence[ClipEmbeddings],
    output: Path | None = None,
    console: Console | None = None,
) -> list[ComparisonRow]:
    """Return the comparison over all sources, each answered by a head and a decay that never saw it (leave one out).

    output: folder in which the run of each source keeps its own; None keeps nothing.
    """
    return comparison_rows(left_out_answers(config, classifier, bank, clips, output, console))


def left_out_answers(
    config: HeadTrainingConfig,
    classifier: Classifier,
    bank: EmbeddingBank,
    clips: Sequence[ClipEmbeddings],
    output: Path | None = None,
    console: Console | None = None,
) -> dict[tuple[str, str], list[ClipAnswer]]:
    """Return the answers on all clips by (head, order), each by a head or a decay that never saw the clip's source."""
    answers: dict[tuple[str, str], list[ClipAnswer]] = {}
    for source in dict.fromkeys(clip.source for clip in clips):
        without = answers_without(config, classifier, bank, clips, (source,), _inside(output, source), console)
        for key, given in without.items():
            answers.setdefault(key, []).extend(given)
    return answers


def answers_without(
    config: HeadTrainingConfig,
    classifier: Classifier,
    bank: EmbeddingBank,
    clips: Sequence[ClipEmbeddings],
    sources: Sequence[str],
    output: Path | None = None,
    console: Console | None = None,
) -> dict[tuple[str, str], list[ClipAnswer]]:
    """Return the answers on the clips of some sources by (head, order), by a head and a decay that saw none of them."""
    others = [clip for clip in clips if clip.source not in sources]
    tested = [clip for clip in clips if clip.source in sources]
    head = train_head(config, classifier, bank, others, ", ".join(sources), output, console)
    mean = weighted_mean(choose_decay(config, classifier, others), classifier.temperature)
    mean.adjustment = head.adjustment  # so that what is compared is what was learned
    answers = {}
    for order in ORDERS:
        answers[HEAD, order] = _answers(config, head, tested, order)
        answers[WEIGHTED_MEAN, order] = _answers(config, mean, tested, order, of_logits=True)
    return answers


def comparison_rows(answers: Mapping[tuple[str, str], Sequence[ClipAnswer]]) -> list[ComparisonRow]:
    """Return the figures of answers by (head, order), on every source and on all videos."""
    return [
        comparison_row(source, head, order, group)
        for (head, order), given in answers.items()
        for source, group in groups(given).items()
    ]


def ablation_tables(
    config: HeadTrainingConfig,
    classifier: Classifier,
    bank: EmbeddingBank,
    clips: Sequence[ClipEmbeddings],
    ingredients: Sequence[str] = INGREDIENTS,
    output: Path | None = None,
    console: Console | None = None,
) -> dict[str, list[ComparisonRow]]:
    """Return the comparison with everything simulated, under "all", and with each ingredient left out in turn."""
    tables = {}
    for name in ("all", *ingredients):
        courses = config.courses if name == "all" else replace(config.courses, **{name: False})
        without = replace(config, courses=courses)
        tables[name] = loso_table(without, classifier, bank, clips, _inside(output, name), console)
    return tables


def _inside(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def _answers(
    config: HeadTrainingConfig,
    head: TrainableHead,
    clips: Sequence[ClipEmbeddings],
    order: str,
    of_logits: bool = False,
) -> list[ClipAnswer]:
    return head_answers(head, [clip_windows(ORDERS[order](clip), config.window, of_logits) for clip in clips])


def comparison_row(source: str, head: str, order: str, answers: Sequence[ClipAnswer]) -> ComparisonRow:
    """Return the figures of answers on the clips of a source, or on all videos."""
    predicted, labels = answers_and_labels(answers)
    loss = -float(np.mean([np.log(max(float(answer.answer[answer.label]), 1e-6)) for answer in answers]))
    war, uar = accuracy(predicted, labels), unweighted_average_recall(predicted, labels)
    return ComparisonRow(source, head, order, len(answers), war, uar, loss)
