"""What handcrafted descriptors with a linear classifier make of clips, beside the recogniser and beside chance."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.recall import Labels, unweighted_average_recall
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.manifest import MICRO, is_sequence
from dfer_ros.training.evaluation.clip_answers import recognized_frames
from dfer_ros.training.experiments.descriptors import DESCRIPTORS, Grey, describe, grey_volume

ALL_THREE = "all three"
COSTS = (1e-3, 1e-2)
"""C of the linear support vector machine."""
LEAST_CLIPS = 10
"""Of a class; smaller ones are left out."""
_FRAMES = 60
"""Most frames of a clip that are described, evenly spread over it."""
_DRAWS = 2000


@dataclass(frozen=True)
class HandcraftedFigures:
    """One way to name the expression of clips.

    classes: that were to choose from. uar: 0..1, of clips of a person (micro-expressions) or source (videos) that the
    classifier has not seen. milliseconds: of one clip, to describe it; or to encode its frames, all of them. bytes: of
    the weights.
    """

    clips: str
    way: str
    number: int
    classes: int
    uar: float
    milliseconds: float | None
    bytes: int | None


def handcrafted_figures(clips: Sequence[ClipFaces], recognizer: Recognizer, weights: int) -> list[HandcraftedFigures]:
    """Return the figures on micro-expressions and on all other videos; weights: bytes of the recogniser's model."""
    seen = [clip for clip in clips if len(clip.stamps) and not is_sequence(clip.source)]
    micro = _enough_of_each([clip for clip in seen if clip.kind == MICRO])
    videos = _enough_of_each([clip for clip in seen if clip.kind != MICRO])
    return [
        *_figures(MICRO, micro, [clip.subject for clip in micro], recognizer, weights),
        *_figures("videos", videos, [clip.source for clip in videos], recognizer, weights),
    ]


def left_out_predictions(described: FloatArray, labels: Labels, groups: Sequence[str], cost: float) -> Labels:
    """Return the class [N] of each of N descriptions, by a classifier that saw none of its group."""
    classifier = make_pipeline(StandardScaler(), LinearSVC(C=cost, class_weight="balanced", max_iter=5000))
    predicted: Labels = cross_val_predict(classifier, described, labels, groups=groups, cv=LeaveOneGroupOut())
    return predicted


def _enough_of_each(clips: Sequence[ClipFaces]) -> list[ClipFaces]:
    counts = Counter(clip.label for clip in clips)
    return [clip for clip in clips if counts[clip.label] >= LEAST_CLIPS]


def _figures(
    name: str, clips: Sequence[ClipFaces], groups: Sequence[str], recognizer: Recognizer, weights: int
) -> list[HandcraftedFigures]:
    if len(set(groups)) < 2:
        return []
    labels = np.array([clip.label for clip in clips], dtype=np.int64)
    classes = np.unique(labels)
    volumes = [grey_volume([clip.crops[index] for index in spread_frames(len(clip.crops))]) for clip in clips]
    rows = []
    for way, (described, spent) in described_volumes(volumes).items():
        size = 4 * len(classes) * (described.shape[1] + 1)
        for cost in COSTS:
            uar = unweighted_average_recall(left_out_predictions(described, labels, groups, cost), labels)
            rows.append(HandcraftedFigures(name, f"{way}, C {cost:g}", len(clips), len(classes), uar, spent, size))
    start = time.process_time()
    means = np.stack([_mean_probabilities(clip, recognizer) for clip in clips])
    spent = 1e3 * (time.process_time() - start) / len(clips)
    for way, choice in (("recogniser, these classes", classes), ("recogniser, all classes", np.arange(len(LABELS)))):
        uar = unweighted_average_recall(choice[means[:, choice].argmax(axis=1)], labels)
        rows.append(HandcraftedFigures(name, way, len(clips), len(choice), uar, spent, weights))
    chance = _chance(labels)
    rows += [
        HandcraftedFigures(name, f"chance, {way}", len(clips), len(classes), value, None, None)
        for way, value in chance.items()
    ]
    return rows


def described_volumes(volumes: Sequence[Grey]) -> dict[str, tuple[FloatArray, float]]:
    """Return the descriptions [N, D] of N clips, and the milliseconds of one, by each descriptor and by all of them."""
    by_name = {}
    for name in DESCRIPTORS:
        start = time.process_time()
        described = np.stack([describe(volume, (name,)) for volume in volumes])
        by_name[name] = described, 1e3 * (time.process_time() - start) / len(volumes)
    together = np.concatenate([described for described, _ in by_name.values()], axis=1)
    return {**by_name, ALL_THREE: (together, sum(spent for _, spent in by_name.values()))}


def spread_frames(length: int) -> list[int]:
    """Return which frames of a clip of a length are described."""
    spread: list[int] = np.unique(np.linspace(0, length - 1, _FRAMES).round().astype(int)).tolist()
    return spread


def _mean_probabilities(clip: ClipFaces, recognizer: Recognizer) -> npt.NDArray[np.float64]:
    rows = [emotion.probabilities for emotion in recognized_frames(clip, recognizer)]
    mean: npt.NDArray[np.float64] = np.mean(rows, axis=0)
    return mean


def _chance(labels: Labels) -> dict[str, float]:
    """Return what the labels give in an order drawn by chance: in the middle, and at best in 97.5 of 100 draws."""
    draws = np.random.default_rng(0)
    values = [unweighted_average_recall(draws.permutation(labels), labels) for _ in range(_DRAWS)]
    return {"median": float(np.median(values)), "97.5 %": float(np.percentile(values, 97.5))}
