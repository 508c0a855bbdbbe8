"""Handcrafted descriptors in the comparison: LBP-TOP, HOG and optical flow, each under a linear classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, groups
from dfer_ros.training.experiments.comparison.results import ComparedModel, kept_result
from dfer_ros.training.experiments.descriptors import DESCRIPTORS, grey_volume
from dfer_ros.training.experiments.handcrafted import (
    ALL_THREE,
    COSTS,
    described_volumes,
    left_out_predictions,
    spread_frames,
)
from dfer_ros.training.head.left_out import comparison_row

_UNKNOWN = float("nan")
_COST = COSTS[-1]


def described_models(faces: Sequence[ClipFaces], folder: Path) -> list[ComparedModel]:
    """Return what each descriptor, and all of them together, make of clips whose source their classifier never saw.

    folder: keeps the results; what is there is not made again. Their multiply-adds, which nobody counts, and the loss,
    as they give no probabilities, are no numbers.
    """
    clips = [clip for clip in faces if len(clip.stamps)]
    labels = np.array([clip.label for clip in clips], dtype=np.int64)
    sources = [clip.source for clip in clips]

    @cache
    def described() -> Mapping[str, tuple[FloatArray, float]]:
        chosen = [[clip.crops[index] for index in spread_frames(len(clip.crops))] for clip in clips]
        return described_volumes([grey_volume(crops) for crops in chosen])

    def measure(way: str) -> ComparedModel:
        vectors, _ = described()[way]
        predicted = left_out_predictions(vectors, labels, sources, _COST)
        answers = [
            ClipAnswer(clip.name, clip.label, clip.source, np.eye(len(LABELS), dtype=np.float32)[[answer]], clip.kind)
            for clip, answer in zip(clips, predicted)
        ]
        rows = [comparison_row(source, way, "plain", group) for source, group in groups(answers).items()]
        weights = len(np.unique(labels)) * (vectors.shape[1] + 1)
        return ComparedModel(way, 0, weights, _UNKNOWN, tuple(replace(row, loss=_UNKNOWN) for row in rows))

    ways = (*DESCRIPTORS, ALL_THREE)
    return [kept_result(folder / f"{way.replace(' ', '_')}.json", partial(measure, way)) for way in ways]
