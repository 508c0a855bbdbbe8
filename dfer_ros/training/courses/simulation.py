"""Simulated courses of an expression, neutral to apex to offset, as windows of embeddings of stills.

Labelled video is scarce and labelled stills are not. A still of an expression and a neutral one are the ends of a way
through the space of embeddings; a timeline says how far along it a face is at each moment, and what disturbs a robot's
view is laid over it. Everything is a mixture of rows of a bank, so no image is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS, NEUTRAL
from dfer_ros.core.window import WindowConfig
from dfer_ros.training.courses.bank import EmbeddingBank
from dfer_ros.training.courses.config import CoursesConfig
from dfer_ros.training.courses.events import draw_disturbance
from dfer_ros.training.courses.frames import draw_frames
from dfer_ros.training.courses.timeline import Timelines, draw_timelines, expressed_at_end, phase_at_end

_CLEAR_SHARE = 0.6
_MIDDLE_NEUTRAL_SHARE = 0.2
_MOST_IDENTITY = 0.7
_LEAST_MASK = 1e-3
_MIDDLE = 0.5

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CourseWindows:
    """B windows of T frames, oldest first, as a head takes them, and what is true at their newest frame.

    embeddings: [B, T, D] float32, zeros where there is no frame. ages: [B, T] float32, seconds before the newest frame.
    mask: [B, T] float32, quality 0..1, 0 where there is no frame. targets: [B, 7] float32, shares of the classes.
    intensity: [B] float32, 0..1. phase: [B] int64, index into a head's phases.
    """

    embeddings: FloatArray
    ages: FloatArray
    mask: FloatArray
    targets: FloatArray
    intensity: FloatArray
    phase: Integers


class _Mixture(NamedTuple):
    """Frames as mixtures of rows of the bank. rows: [B, T, K]. shares: [B, T, K]."""

    rows: Integers
    shares: Floats


class CourseSimulator:
    """Draws windows from a bank. Raises DataError where it lacks stills of a class."""

    def __init__(self, bank: EmbeddingBank, config: CoursesConfig, window: WindowConfig) -> None:
        self._config, self._window = config, window
        self._targets = bank.targets
        self._views, self._plain, self._degraded = bank.embeddings.shape[1], bank.plain, bank.degraded
        self._stills = [_clear_stills(bank, label) for label in range(len(LABELS))]
        self._middles = [_middle_stills(bank, label) for label in range(len(LABELS))]
        flat = bank.embeddings.reshape(-1, bank.embeddings.shape[2])
        # After the views come the ways from each class to neutral, of means: _Mixture's rows may name them as well.
        means = np.stack([bank.embeddings[stills, : bank.plain].mean(axis=(0, 1)) for stills in self._stills])
        self._rows = np.concatenate([flat, means[NEUTRAL] - means]).astype(np.float32)
        self._ways = len(flat)

    def draw(self, count: int, chance: np.random.Generator) -> CourseWindows:
        """Return `count` windows."""
        config = self._config
        ages, there = draw_frames(count, self._window, config, chance)
        timelines = draw_timelines(count, config, chance)
        labels = chance.integers(1, len(LABELS), count)
        apexes = _one_of([self._stills[label] for label in range(len(LABELS))], labels, chance)
        quality, view = self._views_and_quality(ages, chance)
        mixture = self._way(timelines.intensity(-ages), labels, apexes, view, chance)
        disturbance = draw_disturbance(ages, self._stills, config, chance)
        mixture = _Mixture(
            np.concatenate([mixture.rows, (disturbance.still * self._views + view)[:, :, None]], axis=2),
            np.concatenate(
                [mixture.shares * (1.0 - disturbance.amount[:, :, None]), disturbance.amount[:, :, None]], axis=2
            ),
        )
        mask = np.where(there, np.maximum(quality * disturbance.quality, _LEAST_MASK), 0.0)
        return self._windows(mixture, ages, mask, there, timelines, apexes)

    def _way(
        self, intensity: FloatArray, labels: Integers, apexes: Integers, view: Integers, chance: np.random.Generator
    ) -> _Mixture:
        """Return how each frame [B, T] of an intensity mixes a neutral still, a middle one and the apex."""
        count = len(labels)
        neutrals = chance.choice(self._stills[NEUTRAL], count)
        middles = _one_of(self._middles, labels, chance)
        has_middle = (middles >= 0) & (chance.random(count) < 0.5) & self._config.intermediate_stills
        kept = chance.uniform(0.0, _MOST_IDENTITY, count) * self._config.identity * ~has_middle

        apex_share = np.where(has_middle[:, None], np.clip(intensity / _MIDDLE - 1.0, 0.0, 1.0), intensity)
        neutral_share = np.where(has_middle[:, None], np.clip(1.0 - intensity / _MIDDLE, 0.0, 1.0), 1.0 - intensity)
        middle_share = 1.0 - apex_share - neutral_share
        of_apex = neutral_share * kept[:, None]
        stills = np.stack([neutrals, np.where(has_middle, middles, neutrals), apexes], axis=1)
        rows = stills[:, None, :] * self._views + view[:, :, None]
        ways = np.broadcast_to((self._ways + labels)[:, None, None], (*view.shape, 1))
        shares = np.stack([neutral_share - of_apex, middle_share, apex_share + of_apex, of_apex], axis=2)
        return _Mixture(np.concatenate([rows, ways], axis=2), shares)

    def _views_and_quality(self, ages: Floats, chance: np.random.Generator) -> tuple[Floats, Integers]:
        """Return the quality 0..1 and the index of the view of each frame [B, T]."""
        count, config = len(ages), self._config
        view = np.zeros(ages.shape, dtype=np.int64)
        if config.view_changes:
            changes = (ages / chance.uniform(0.04, 0.4, (count, 1))).astype(int) % 16
            view = np.take_along_axis(chance.integers(self._plain, size=(count, 16)), changes, axis=1)
        quality = chance.uniform(0.3, 1.0, (count, 1)) * chance.uniform(0.85, 1.0, ages.shape)
        if config.occlusion:
            covered = _spans(ages, 0.2, (0.2, 1.0), chance)
            first = self._plain + self._degraded
            view = np.where(covered, chance.integers(first, self._views, (count, 1)), view)
            quality = np.where(covered, quality * chance.uniform(0.5, 1.0, (count, 1)), quality)
        if config.low_quality:
            poor = _spans(ages, 0.25, (0.1, 1.5), chance) | (chance.random(ages.shape) < 0.04)
            view = np.where(poor, self._plain + chance.integers(self._degraded, size=(count, 1)), view)
            quality = np.where(poor, quality * chance.uniform(0.1, 0.4, ages.shape), quality)
        return quality, view

    def _windows(
        self,
        mixture: _Mixture,
        ages: Floats,
        mask: Floats,
        there: npt.NDArray[np.bool_],
        timelines: Timelines,
        apexes: Integers,
    ) -> CourseWindows:
        now = timelines.intensity(np.zeros((len(ages), 1)))[:, 0]
        expressed = expressed_at_end(timelines, now, self._config)
        neutral = np.eye(len(LABELS), dtype=np.float32)[NEUTRAL]
        shares = (mixture.shares * there[:, :, None]).astype(np.float32)
        return CourseWindows(
            embeddings=_mixtures(self._rows, mixture.rows, shares),
            ages=ages.astype(np.float32),
            mask=mask.astype(np.float32),
            targets=np.where(expressed[:, None], self._targets[apexes], neutral),
            intensity=now,
            phase=phase_at_end(timelines, now),
        )


def _mixtures(rows: FloatArray, indices: Integers, shares: FloatArray) -> FloatArray:
    """Return the mixtures [B, T, D] of rows [N, D] by indices [B, T, K] and shares [B, T, K]."""
    # Most shares are zero: only the others are looked up.
    used = np.nonzero(shares)
    mixed = np.zeros((*shares.shape[:2], rows.shape[1]), dtype=np.float32)
    for component in range(shares.shape[2]):
        here = used[2] == component
        window, frame = used[0][here], used[1][here]
        part = rows[indices[window, frame, component]]
        part *= shares[window, frame, component][:, None]
        mixed[window, frame] += part
    return mixed


def _one_of(pools: list[Integers], labels: Integers, chance: np.random.Generator) -> Integers:
    """Return for each label [B] a member of its pool, -1 where that is empty."""
    drawn = np.full(len(labels), -1)
    for label, pool in enumerate(pools):
        where = np.flatnonzero(labels == label)
        if len(pool) and len(where):
            drawn[where] = chance.choice(pool, len(where))
    return drawn


def _spans(
    ages: Floats, share: float, seconds: tuple[float, float], chance: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Return where [B, T] a span of time lies that a share of windows has."""
    size = (len(ages), 1)
    begin = chance.uniform(-0.5, 2.0, size)
    inside = (ages >= begin) & (ages <= begin + chance.uniform(*seconds, size))
    return inside & (chance.random(size) < share)


def _clear_stills(bank: EmbeddingBank, label: int) -> Integers:
    """Return the indices of the stills of a class that annotators agreed about, or of all where none is so."""
    of_class = np.flatnonzero(bank.labels == label)
    if len(of_class) == 0:
        raise DataError(f"There is no still of the class {LABELS[label]} for courses: add a set with some to 'stills'.")
    clear = of_class[bank.targets[of_class, label] >= _CLEAR_SHARE]
    return clear if len(clear) else of_class


def _middle_stills(bank: EmbeddingBank, label: int) -> Integers:
    """Return the indices of the stills that some saw as neutral and most others as the class; there may be none."""
    others = bank.targets.copy()
    others[:, NEUTRAL] = 0.0
    seen = (others.argmax(axis=1) == label) & (bank.targets[:, NEUTRAL] >= _MIDDLE_NEUTRAL_SHARE)
    return np.flatnonzero(seen & (others.max(axis=1) >= _MIDDLE_NEUTRAL_SHARE))
