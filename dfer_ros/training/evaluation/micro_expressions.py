"""How well micro-expressions are found and named.

No data set that we have says when its micro-expressions begin and end. So the motion of sequences that run from neutral
to the apex is put, small and for a moment, into videos of calm faces of other people: there the moments are known.
Beside it stands what is found in videos as they were recorded: calm ones, and clips of one micro-expression each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE
from dfer_ros.core.faces import FloatArray, Image, SeenFace
from dfer_ros.core.labels import EXPRESSIONS, LABELS, NEUTRAL, UNKNOWN
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.recordings.micro_expressions import (
    SLOWEST_RATE,
    MicroConfig,
    MicroExpression,
    find_micro_expressions,
    grey_face,
    motion_signal,
)
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.manifest import MICRO, is_sequence

THRESHOLDS = (4.0, 6.0, 8.0)
SIZES = (0.5, 1.0, 2.0)
"""Of the motion at the apex, pixels of the crop of 128, as the twentieth of the face that moves most has it."""
_INSERTED_EACH = 2
"""Into each calm video, one at a time."""
_SECONDS = (0.2, 0.5)
"""From onset to offset; videos of 30 Hz show no shorter ones."""
_MARGIN = 0.3
"""Seconds at both ends of a video into which nothing is put."""
_OVERLAP = 0.5
"""Least share of what is common to both, of what either covers, for a find to be right (MEGC)."""
_CALM, _CALM_KIND = "calm", "spontaneous"


@dataclass(frozen=True)
class MicroFigures:
    """What was found in one group of videos with one threshold.

    inserted: micro-expressions at known moments. found: those that were found, at least half overlapping. invented:
    all others that were told. precision, recall, f1: 0..1, None where nothing was put in. apex_error: median, seconds.
    named: found ones with a label. named_right: of these. videos_with: those in which at least one was told.
    """

    group: str
    threshold: float
    videos: int
    minutes: float
    inserted: int
    found: int
    invented: int
    precision: float | None
    recall: float | None
    f1: float | None
    apex_error: float | None
    named: int
    named_right: int
    videos_with: int
    told_a_minute: float


@dataclass(frozen=True)
class _Truth:
    onset: float
    apex: float
    offset: float
    expression: str


@dataclass(frozen=True)
class _Judged:
    """A video: what was told by threshold, and what is in it."""

    seconds: float
    told: dict[float, list[MicroExpression]]
    truth: _Truth | None = None


def micro_figures(clips: Sequence[ClipFaces], recognizer: Recognizer, seed: int = 0) -> list[MicroFigures]:
    """Return the figures by group and threshold; clips: of all kinds, sequences and micro-expressions among them."""
    sequences = [clip for clip in clips if is_sequence(clip.source) and clip.label != NEUTRAL]
    motions = [(motion_to_apex(clip), EXPRESSIONS[clip.label]) for clip in sequences]
    draws = {size: np.random.default_rng(seed) for size in SIZES if motions}
    groups: dict[str, list[_Judged]] = {f"{size:g} px put in": [] for size in draws}
    for clip in clips:
        group = MICRO if clip.kind == MICRO else "other neutral"
        group = _CALM if clip.kind == _CALM_KIND else group
        if is_sequence(clip.source) or _rate(clip) < SLOWEST_RATE or (clip.kind != MICRO and clip.label != NEUTRAL):
            continue
        # Read once; in memory only as long as it is looked at.
        read = replace(clip, crops=list(clip.crops))
        answers = _answers(read, recognizer)
        groups.setdefault(group, []).append(_judge(read, answers))
        for size, part in product(draws if group == _CALM else (), range(_INSERTED_EACH)):
            changed, truth = _insert(read, motions, size, part, draws[size])
            groups[f"{size:g} px put in"].append(
                _judge(changed, _new_answers(read, answers, changed, recognizer), truth)
            )
    return [_figures(name, group, threshold) for name, group in groups.items() if group for threshold in THRESHOLDS]


def motion_to_apex(clip: ClipFaces) -> FloatArray:
    """Return where each pixel at the apex of a sequence was while the face was neutral, less it [128, 128, 2].

    Without the motion of the face as a whole; the twentieth of the face that moves most moves by 1.
    """
    neutral, apex = (cv2.cvtColor(clip.crops[index], cv2.COLOR_BGR2GRAY) for index in (0, len(clip.crops) - 1))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(apex, neutral, None)
    flow = cv2.GaussianBlur(flow, (0, 0), 2)
    inside = _FACE > 0.5
    whole, *_ = np.linalg.lstsq(_PLACES[inside], flow[inside], rcond=None)
    motion = (flow - _PLACES @ whole) * _FACE[..., None]
    lengths = np.hypot(motion[..., 0], motion[..., 1])
    most: FloatArray = (motion / np.percentile(lengths[inside], 95)).astype(np.float32)
    return most


def put_in(crops: Sequence[Image], sizes: npt.NDArray[np.float64], motion: FloatArray) -> list[Image]:
    """Return crops with a motion [128, 128, 2] in them, by as many pixels [F] as wanted in each."""
    columns, rows = _PLACES[..., 0], _PLACES[..., 1]
    return [
        cv2.remap(
            crop,
            columns + np.float32(size) * motion[..., 0],
            rows + np.float32(size) * motion[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if size > 0
        else crop
        for crop, size in zip(crops, sizes.tolist())
    ]


def _insert(
    clip: ClipFaces,
    motions: Sequence[tuple[FloatArray, str]],
    size: float,
    part: int,
    draws: np.random.Generator,
) -> tuple[ClipFaces, _Truth]:
    """Return a video with one of some motions in it, in one of its parts, and when that is."""
    motion, expression = motions[int(draws.integers(len(motions)))]
    seconds = float(draws.uniform(*_SECONDS))
    free = float(clip.stamps[-1] - clip.stamps[0]) - 2 * _MARGIN - seconds
    onset = float(clip.stamps[0]) + _MARGIN + free * (part + 0.5) / _INSERTED_EACH
    phase = (clip.stamps - onset) / seconds
    sizes = np.where((phase > 0) & (phase < 1), size * np.sin(np.pi * phase) ** 2, 0.0)
    truth = _Truth(onset, onset + seconds / 2, onset + seconds, expression)
    return replace(clip, crops=put_in(clip.crops, sizes, motion)), truth


def _judge(clip: ClipFaces, probabilities: FloatArray, truth: _Truth | None = None) -> _Judged:
    faces = [grey_face(crop) for crop in clip.crops]
    signal = motion_signal(faces, clip.stamps, MicroConfig())
    told = {
        threshold: find_micro_expressions(faces, clip.stamps, probabilities, MicroConfig(threshold=threshold), signal)
        for threshold in THRESHOLDS
    }
    return _Judged(float(clip.stamps[-1] - clip.stamps[0]), told, truth)


def _answers(clip: ClipFaces, recognizer: Recognizer) -> FloatArray:
    """Return the probabilities [F, 7] of each frame alone."""
    rows = []
    for crop, stamp, quality in zip(clip.crops, clip.stamps.tolist(), clip.quality.tolist()):
        recognizer.reset()
        rows.append(recognizer.update(stamp, [SeenFace("face", crop, quality)])[0].probabilities)
    return np.array(rows, dtype=np.float32).reshape(-1, len(LABELS))


def _new_answers(old: ClipFaces, answers: FloatArray, changed: ClipFaces, recognizer: Recognizer) -> FloatArray:
    """Return the probabilities of a changed clip; only its changed frames are looked at."""
    new = np.array([one is not other for one, other in zip(old.crops, changed.crops)])
    crops = [crop for crop, is_new in zip(changed.crops, new) if is_new]
    part = replace(changed, crops=crops, stamps=changed.stamps[new], quality=changed.quality[new])
    answers = answers.copy()
    answers[new] = _answers(part, recognizer)
    return answers


def _figures(group: str, judged: Sequence[_Judged], threshold: float) -> MicroFigures:
    truths = [(video.truth, video.told[threshold]) for video in judged if video.truth is not None]
    hits = [(truth, hit) for truth, told in truths for hit in [_overlapping_find(truth, told)] if hit is not None]
    told = sum(len(video.told[threshold]) for video in judged)
    minutes = sum(video.seconds for video in judged) / 60
    named = [(truth, hit) for truth, hit in hits if hit.expression != UNKNOWN]
    missed = len(truths) - len(hits)
    return MicroFigures(
        group,
        threshold,
        len(judged),
        minutes,
        len(truths),
        len(hits),
        told - len(hits),
        len(hits) / told if told and truths else None,
        len(hits) / len(truths) if truths else None,
        2 * len(hits) / (told + len(hits) + missed) if truths else None,
        float(np.median([abs(hit.apex - truth.apex) for truth, hit in hits])) if hits else None,
        len(named),
        sum(hit.expression == truth.expression for truth, hit in named),
        sum(bool(video.told[threshold]) for video in judged),
        told / minutes,
    )


def _overlapping_find(truth: _Truth, told: Sequence[MicroExpression]) -> MicroExpression | None:
    """Return the find that overlaps enough with what is there."""
    for one in told:
        common = min(one.offset, truth.offset) - max(one.onset, truth.onset)
        either = max(one.offset, truth.offset) - min(one.onset, truth.onset)
        if common >= _OVERLAP * either:
            return one
    return None


def _rate(clip: ClipFaces) -> float:
    """Return the frames a second of a clip, 0 where it has too few."""
    return float(1.0 / np.median(np.diff(clip.stamps))) if len(clip.stamps) > 2 else 0.0


def _face_places() -> tuple[FloatArray, FloatArray]:
    """Return how much each pixel of a crop belongs to the face, 0..1, and its column, its row and 1 [128, 128, 3]."""
    rows, columns = np.indices((ALIGNED_SIZE, ALIGNED_SIZE)).astype(np.float32)
    middle = TEMPLATE[:, 0].mean() * ALIGNED_SIZE, TEMPLATE[2, 1] * ALIGNED_SIZE
    oval = ((columns - middle[0]) / 36) ** 2 + ((rows - middle[1]) / 44) ** 2 < 1
    soft = cv2.GaussianBlur(oval.astype(np.float32), (0, 0), 5)
    return soft, np.stack([columns, rows, np.ones_like(rows)], axis=-1)


_FACE, _PLACES = _face_places()
