"""Compound expressions against the votes of people: does the model name two where ten people saw two?

FER+ (Barsoum et al. 2016) has the votes of ten people for every still of FER2013. A still counts as compound where two
expressions other than neutral have at least a share of the ten votes each. Ten people are few: what ten others would
have said is drawn from the same votes, as what can be reached at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.decision import DecisionConfig, decide_secondary
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray, Image, SeenFace
from dfer_ros.core.labels import EXPRESSIONS, LABELS, NEUTRAL
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.training.data.data_set import LayoutError
from dfer_ros.training.data.zip_or_folder import open_pack, read_entry

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
VOTES = 10
_CHUNK = 32
_DRAWS = 200


@dataclass(frozen=True)
class VotedStills:
    """crops: N aligned crops [128, 128, 3] uint8 BGR, not read until asked for. votes: [N, 7] shares of ten people."""

    crops: Sequence[Image]
    votes: FloatArray


@dataclass(frozen=True)
class CompoundFigures:
    """How two names compare with the votes, at one threshold of the rule in core/decision.py.

    rule: whose. votes: of ten, for each of two expressions of a compound still. threshold: secondary_threshold.
    named: stills with two names. precision: share of them whose two expressions are the two that people saw. either:
    share with two in the votes, whichever. recall: share of the compound stills that got the right two names.
    compound: stills that are, by votes.
    """

    rule: str
    votes: int
    threshold: float
    named: int
    precision: float
    either: float
    recall: float
    compound: int


def open_voted_stills(pack: Path) -> VotedStills:
    """Return the validation part of the pack of FER+. Raises DataError where it is not there, or not whole."""
    if not pack.exists():
        raise DataError(f"There is no {pack}: name the pack of FER+, ferplus_aligned.zip.")
    try:
        opened = open_pack(pack, "ferplus_aligned", "val.csv")
    except LayoutError as error:
        raise DataError(f"{pack} is not the pack of FER+ ({error}): name ferplus_aligned.zip.") from error
    try:
        rows = list(csv.DictReader(io.StringIO(read_entry(opened, "val.csv").decode())))
        votes = np.array([[float(row[label]) for label in LABELS] for row in rows], dtype=np.float32) / VOTES
        images = [read_entry(opened, row["image"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"val.csv in {opened.filename} does not hold images and ten votes each.") from error
    return VotedStills([_crop(image) for image in images], votes)


def answer_stills(stills: VotedStills, recognizer: Recognizer) -> FloatArray:
    """Return the calibrated probabilities [N, 7] of each still as a window of one frame."""
    rows: list[FloatArray] = []
    for start in range(0, len(stills.crops), _CHUNK):
        recognizer.reset()
        faces = [SeenFace(f"f{index}", crop, 1.0) for index, crop in enumerate(stills.crops[start : start + _CHUNK])]
        rows += [emotion.probabilities for emotion in recognizer.update(0.0, faces)]
    return np.array(rows)


def compound_figures(
    probabilities: FloatArray, votes: FloatArray, unknown_threshold: float, least_votes: int, seed: int = 0
) -> list[CompoundFigures]:
    """Return the figures at every threshold, then those of ten other people.

    probabilities: [N, 7], calibrated. votes: [N, 7] shares. unknown_threshold: of the model. least_votes: of ten, for
    each of two expressions of a compound still.
    """
    seen = voted_pairs(votes, least_votes)
    figures = []
    for threshold in THRESHOLDS:
        config = DecisionConfig(unknown_threshold, secondary_threshold=threshold)
        named = [_named_pair(row, config) for row in probabilities]
        figures.append(_figures("the model", least_votes, threshold, named, seen, 1))
    chance = np.random.default_rng(seed)
    rest = np.clip(1.0 - votes.sum(axis=1, keepdims=True), 0.0, 1.0)
    shares = np.hstack([votes, rest]).astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    drawn = [voted_pairs(chance.multinomial(VOTES, shares)[:, :-1] / VOTES, least_votes) for _ in range(_DRAWS)]
    others = [pair for draw in drawn for pair in draw]
    return [*figures, _figures("ten other people", least_votes, np.nan, others, seen * _DRAWS, _DRAWS)]


def voted_pairs(votes: FloatArray, least_votes: int) -> list[frozenset[int]]:
    """Return the two expressions other than neutral with the most votes [N, 7], empty where not both have enough."""
    counts = np.rint(VOTES * np.asarray(votes, dtype=np.float64))
    counts[:, NEUTRAL] = -1
    order = np.argsort(-counts, axis=1, kind="stable")[:, :2]
    enough = np.take_along_axis(counts, order, axis=1).min(axis=1) >= least_votes
    return [frozenset(pair) if both else frozenset() for pair, both in zip(order.tolist(), enough.tolist())]


def common_pairs(votes: FloatArray, least_votes: int) -> dict[str, int]:
    """Return how often people saw which two at once, the most common first."""
    pairs = [pair for pair in voted_pairs(votes, least_votes) if pair]
    names = [" + ".join(EXPRESSIONS[index] for index in sorted(pair)) for pair in pairs]
    return dict(sorted(((name, names.count(name)) for name in set(names)), key=lambda item: (-item[1], item[0])))


def _named_pair(probabilities: FloatArray, config: DecisionConfig) -> frozenset[int]:
    best = int(probabilities.argmax())
    named = best if probabilities[best] >= config.unknown_threshold else None
    secondary = decide_secondary(probabilities, named, None, config)
    return frozenset() if secondary is None or named is None else frozenset((named, secondary))


def _figures(
    rule: str,
    votes: int,
    threshold: float,
    named: Sequence[frozenset[int]],
    seen: Sequence[frozenset[int]],
    times: int,
) -> CompoundFigures:
    """Return the figures of pairs that were named and seen for each still, every still `times` over."""
    count, compound = sum(map(bool, named)), sum(map(bool, seen))
    right = sum(bool(a) and a == b for a, b in zip(named, seen))
    either = sum(bool(a) and bool(b) for a, b in zip(named, seen))
    shares = (right / max(count, 1), either / max(count, 1), right / max(compound, 1))
    return CompoundFigures(rule, votes, threshold, count // times, *shares, compound // times)


def _crop(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    crop: Image = cv2.resize(image, (ALIGNED_SIZE, ALIGNED_SIZE), interpolation=cv2.INTER_LINEAR)
    return crop
