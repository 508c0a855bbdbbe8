"""What is in a prepared set: counts by split and class, people, clips, and how sure the labels are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import SPLITS, PreparedSet, Sample


@dataclass(frozen=True)
class SplitStatistics:
    """What one split of a set holds.

    classes: number of units by class, in the order of LABELS; a unit is a clip, or a still that is in none.
    clips, subjects: how many different ones. crops: rows of the index. quality: mean quality of the crops, 0..1.
    vote_entropy: mean entropy of the targets in bits, 0 where every sample has one label.
    """

    split: str
    classes: tuple[int, ...]
    clips: int
    crops: int
    subjects: int
    quality: float
    vote_entropy: float


def split_statistics(prepared: PreparedSet) -> list[SplitStatistics]:
    """Return the statistics of every split that is not empty. Raises DataError for a set without samples."""
    parts = [(name, prepared.split(name)) for name in SPLITS]
    found = [_statistics(name, part) for name, part in parts if part.samples]
    if not found:
        raise DataError(f"{prepared.folder} has no samples: prepare it again.")
    return found


def source_statistics(prepared: PreparedSet) -> dict[str, tuple[int, ...]]:
    """Return what each source of a set gives: units by class, in the order of LABELS, by the name of the source.

    The source of a clip named `source/name` is what stands before the slash, with its kind; that of a still its first
    tag. A set of one source gives nothing.
    """
    counts: dict[str, list[int]] = {}
    for indices in units(prepared.samples):
        first = prepared.samples[indices[0]]
        of_source = counts.setdefault(_source(first), [0] * len(LABELS))
        of_source[first.label] += 1
    return {name: tuple(row) for name, row in counts.items()} if len(counts) > 1 else {}


def _source(sample: Sample) -> str:
    source, slash, _ = sample.clip.partition("/")
    words = ([source] if slash else []) + list(sample.tags)
    return " ".join(words) or "(none)"


def units(samples: tuple[Sample, ...]) -> list[list[int]]:
    """Return the indices of the samples of every clip, and of every still alone."""
    clips: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        clips.setdefault(sample.clip or f"\0{index}", []).append(index)
    return list(clips.values())


def _statistics(name: str, part: PreparedSet) -> SplitStatistics:
    labels = [part.samples[indices[0]].label for indices in units(part.samples)]
    targets = part.targets().astype(np.float64)
    logarithms = np.log2(targets, out=np.zeros_like(targets), where=targets > 0)
    return SplitStatistics(
        split=name,
        classes=tuple(int(count) for count in np.bincount(labels, minlength=len(LABELS))),
        clips=len({sample.clip for sample in part.samples} - {""}),
        crops=len(part.samples),
        subjects=len({sample.subject for sample in part.samples} - {""}),
        quality=float(np.mean([sample.quality for sample in part.samples])),
        vote_entropy=float(-(targets * logarithms).sum(axis=1).mean()) + 0.0,
    )
