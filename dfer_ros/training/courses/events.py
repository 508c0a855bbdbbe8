"""Short events that disturb a course: mouth shapes of speech, blinks, frames that show something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dfer_ros.core.labels import LABELS
from dfer_ros.training.courses.config import CoursesConfig

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EventKind:
    """How an event is. most: of them in a window. share: of windows that have any. seconds: how long it lasts.

    strength: share 0..1 by which the face looks like another still at its height. sudden: whether it comes at once.
    classes: of that other still. quality: by what the quality is multiplied.
    """

    most: int
    share: float
    seconds: tuple[float, float]
    strength: tuple[float, float]
    sudden: bool
    classes: tuple[str, ...]
    quality: tuple[float, float] = (1.0, 1.0)


SPEECH = EventKind(8, 0.5, (0.06, 0.25), (0.3, 0.9), False, ("happy", "surprise", "neutral"))
BLINKS = EventKind(2, 0.5, (0.1, 0.25), (0.1, 0.4), False, ("neutral", "sad", "disgust"))
POSE_OUTLIERS = EventKind(2, 0.3, (0.03, 0.15), (0.6, 1.0), True, LABELS, (0.05, 0.4))


@dataclass(frozen=True)
class Disturbance:
    """What disturbs each frame of B windows. amount: [B, T] 0..1. still: [B, T], index into the bank.

    quality: [B, T], by what the quality is multiplied.
    """

    amount: Floats
    still: npt.NDArray[np.int64]
    quality: Floats


def draw_disturbance(
    ages: Floats, stills: list[npt.NDArray[np.int64]], config: CoursesConfig, chance: np.random.Generator
) -> Disturbance:
    """Return the strongest event at each frame. ages: [B, T] seconds. stills: of each class, indices into the bank."""
    strongest = Disturbance(np.zeros(ages.shape), np.zeros(ages.shape, dtype=np.int64), np.ones(ages.shape))
    for wanted, kind in ((config.speech, SPEECH), (config.blinks, BLINKS), (config.pose_outliers, POSE_OUTLIERS)):
        if wanted:
            strongest = _stronger(strongest, _draw_disturbance(kind, ages, stills, chance))
    return strongest


def _draw_disturbance(
    kind: EventKind, ages: Floats, stills: list[npt.NDArray[np.int64]], chance: np.random.Generator
) -> Disturbance:
    size = (len(ages), kind.most)
    begin = chance.uniform(-0.1, 2.0, size)
    seconds, strength, quality = (chance.uniform(*span, size) for span in (kind.seconds, kind.strength, kind.quality))
    has_any = chance.random((len(ages), 1)) < kind.share
    strength = strength * has_any * (chance.random(size) < chance.random((len(ages), 1)))
    pool = np.concatenate([stills[LABELS.index(name)] for name in kind.classes])
    still = pool[chance.integers(len(pool), size=size)]

    done = (ages[:, :, None] - begin[:, None, :]) / seconds[:, None, :]
    inside = (done > 0) & (done < 1)
    height = 1.0 if kind.sudden else np.sin(np.pi * np.clip(done, 0.0, 1.0))
    amount = inside * height * strength[:, None, :]
    strongest = amount.argmax(axis=2)
    rows = np.arange(len(ages))[:, None]
    amount = np.take_along_axis(amount, strongest[:, :, None], axis=2)[:, :, 0]
    return Disturbance(amount, still[rows, strongest], np.where(amount > 0, quality[rows, strongest], 1.0))


def _stronger(one: Disturbance, other: Disturbance) -> Disturbance:
    stronger = other.amount > one.amount
    return Disturbance(
        np.where(stronger, other.amount, one.amount),
        np.where(stronger, other.still, one.still),
        one.quality * other.quality,
    )
