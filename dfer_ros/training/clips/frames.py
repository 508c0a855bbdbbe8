"""Frames of clips as stills for the frame encoder: apex frames by label, quiet ones as neutral, the rest unlabelled.

A clip shows its label in part of its frames only. An encoder that never saw the clip says where: its apex frames are
those in which the label is likeliest, apart in time, and its quiet ones those that look neutral while the label is
least likely. What is between them gets no label but what the encoder says. Nobody has more frames than others: each
clip gives a few, each source at most a number of clips of a class, so that no laboratory leads.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.training.clips.faces import source_of
from dfer_ros.training.data.manifest import MICRO, is_sequence
from dfer_ros.training.data.prepared_set import PreparedSet, Sample, one_label, write_index
from dfer_ros.training.encoder.session import Encoder

NEUTRAL = LABELS.index("neutral")
UNLABELLED = "unlabelled"
"""The tag of frames whose target is what an encoder says."""

_ROUNDING = 1e-6
"""Seconds: stamps are sums of fractions."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FramesConfig:
    """apex, quiet, unlabelled: at most so many frames of a clip. apart: seconds between two of one sort.

    clips: of one class that a source gives at most. calm: least probability of neutral 0..1 of a quiet frame.
    breath: seconds; an unlabelled frame has for its target what is said on average in that time around it, so that a
    mouth that speaks does not change the answer from one moment to the next.
    """

    apex: int = 4
    quiet: int = 2
    unlabelled: int = 3
    apart: float = 0.2
    clips: int = 12
    calm: float = 0.6
    breath: float = 1.0

    def __post_init__(self) -> None:
        if min(self.apex, self.quiet, self.unlabelled, self.apart, self.breath) < 0 or self.clips < 1:
            raise TrainingError("Frames of clips need counts, apart and breath of 0 or more, and clips of 1 or more.")
        if not 0 <= self.calm <= 1:
            raise TrainingError("Frames of clips need a calm of 0 to 1.")


def write_clip_frames(
    sets: Sequence[PreparedSet],
    encoder: Encoder,
    config: FramesConfig,
    output: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Sample]:
    """Write a prepared set of stills from clips, all for training, and return its samples.

    Their tags are the source and, where it is so, `unlabelled`. progress: called with the number of clips done.
    Raises DataError for crops that cannot be read, TrainingError where the set cannot be written.
    """
    clips = [(prepared, rows) for prepared in sets for rows in _clips(prepared)]
    taken: dict[tuple[str, int], int] = defaultdict(int)
    samples: list[Sample] = []
    for number, (prepared, rows) in enumerate(clips):
        progress(number)
        first = prepared.samples[rows[0]]
        source, micro = source_of(prepared, first.clip), MICRO in first.tags
        taken[source, first.label] += 1
        if taken[source, first.label] > config.clips and not micro:
            continue
        logits = encoder.run([prepared.crop(row) for row in rows]).logits
        stamps = np.array([prepared.samples[row].seconds for row in rows])
        chosen = choose_frames(calibrated_probabilities(logits, 1.0), stamps, first.label, source, micro, config)
        samples += _written(prepared, rows, source, chosen, output)
    progress(len(clips))
    try:
        write_index(output, samples)
    except OSError as error:
        raise TrainingError(f"The frames of clips cannot be written to {output}: {error.strerror}.") from error
    return samples


def choose_frames(
    probabilities: FloatArray,
    stamps: npt.NDArray[np.float64],
    label: int,
    source: str,
    micro: bool,
    config: FramesConfig,
) -> list[tuple[int, tuple[float, ...], bool]]:
    """Return the frames of a clip to learn from: their number, their target [7], and whether they have a label.

    probabilities: [F, 7], by an encoder that never saw the clip. stamps: [F], seconds. micro: a micro-expression, of
    which no frame gets the label.
    """
    of_label, calm = probabilities[:, label], probabilities[:, NEUTRAL]
    apex, quiet = np.zeros(0, np.int64), np.zeros(0, np.int64)
    if is_sequence(source):
        apex, quiet = np.arange(len(stamps))[-2:], np.arange(len(stamps))[:1]
    elif not micro:
        apex = _apart(np.argsort(-of_label, kind="stable"), stamps, config.apart, config.apex)
        if label != NEUTRAL:
            quiet = np.flatnonzero((calm >= config.calm) & (of_label <= np.quantile(of_label, 0.25)))
            quiet = _apart(quiet[np.argsort(-calm[quiet], kind="stable")], stamps, config.apart, config.quiet)
    told = np.concatenate([apex, quiet])
    rest = np.setdiff1d(np.arange(len(stamps)), told)
    spread = rest[np.linspace(0, len(rest) - 1, min(config.unlabelled, len(rest))).astype(int)]
    rows: list[tuple[int, tuple[float, ...], bool]] = [(int(row), one_label(label), True) for row in apex]
    rows += [(int(row), one_label(NEUTRAL), True) for row in quiet if row not in apex]
    for row in np.unique(spread).tolist():
        said = probabilities[np.abs(stamps - stamps[row]) <= config.breath / 2].mean(axis=0)
        rows.append((row, tuple(said.tolist()), False))
    return rows


def _apart(order: Rows, stamps: npt.NDArray[np.float64], seconds: float, count: int) -> Rows:
    """Return the first frames of an order, at most `count`, of which no two are nearer than some seconds."""
    kept: list[int] = []
    for row in order.tolist():
        if len(kept) < count and all(abs(stamps[row] - stamps[other]) >= seconds - _ROUNDING for other in kept):
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _clips(prepared: PreparedSet) -> Iterable[list[int]]:
    clips: dict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(prepared.samples):
        if sample.clip:
            clips[sample.clip].append(row)
    return clips.values()


def _written(
    prepared: PreparedSet,
    rows: list[int],
    source: str,
    chosen: list[tuple[int, tuple[float, ...], bool]],
    output: Path,
) -> list[Sample]:
    """Copy the chosen crops and return their samples."""
    samples = []
    for number, target, labelled in chosen:
        sample = prepared.samples[rows[number]]
        image = f"{prepared.name}/{sample.image}"
        (output / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(prepared.folder / sample.image, output / image)
        tags = (source,) if labelled else (source, UNLABELLED)
        samples.append(replace(sample, image=image, split="train", clip="", target=target, tags=tags))
    return samples
