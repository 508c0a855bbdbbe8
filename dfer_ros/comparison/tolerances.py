"""What a change may change, and the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dfer_ros.comparison.comparison import Comparison
from dfer_ros.comparison.labelled_times import LabelScore


@dataclass(frozen=True)
class Measure:
    """A figure that can be bounded.

    name: of the bound on the command line. subject: what is measured, in words. least: whether the bound is a least or
    a most value. share: whether the figure is 0..1 and shown in percent. labels: whether it takes labels.
    """

    name: str
    subject: str
    least: bool
    share: bool
    value: Callable[[Comparison], float]
    labels: bool = False


def _new_score(comparison: Comparison) -> LabelScore:
    if comparison.scores is None:
        raise ValueError("what needs labels was asked of a comparison without them")
    return comparison.scores[1]


def _drop(comparison: Comparison, name: str) -> float:
    if comparison.scores is None:
        raise ValueError("what needs labels was asked of a comparison without them")
    old, new = (float(getattr(score, name)) for score in comparison.scores)
    return old - new


MEASURES: tuple[Measure, ...] = (
    Measure("min-agreement", "label agreement", True, True, lambda c: c.agreement),
    Measure("max-flips", "new flips per minute", False, False, lambda c: c.new.flips_per_minute),
    Measure(
        "max-more-flips",
        "rise of flips per minute",
        False,
        False,
        lambda c: c.new.flips_per_minute - c.old.flips_per_minute,
    ),
    Measure("max-lost", "answers lost", False, True, lambda c: c.lost),
    Measure("max-found", "answers found", False, True, lambda c: c.found),
    Measure("max-more-unknown", "rise of unknown", False, True, lambda c: c.new.unknown - c.old.unknown),
    Measure("max-confidence-shift", "mean confidence shift", False, False, lambda c: abs(c.confidence.mean)),
    Measure("max-probability-shift", "probability shift", False, False, lambda c: c.probability_shift),
    Measure("max-valence-shift", "absolute valence shift", False, False, lambda c: c.valence.mean_absolute),
    Measure("max-arousal-shift", "absolute arousal shift", False, False, lambda c: c.arousal.mean_absolute),
    Measure("min-accuracy", "new accuracy", True, True, lambda c: _new_score(c).accuracy, labels=True),
    Measure("min-uar", "new UAR", True, True, lambda c: _new_score(c).uar, labels=True),
    Measure("max-accuracy-drop", "drop of accuracy", False, True, lambda c: _drop(c, "accuracy"), labels=True),
    Measure("max-uar-drop", "drop of UAR", False, True, lambda c: _drop(c, "uar"), labels=True),
)


@dataclass(frozen=True)
class Check:
    """A figure and its bound."""

    measure: Measure
    value: float
    limit: float

    @property
    def within(self) -> bool:
        """Whether the figure keeps to the bound."""
        return self.value >= self.limit if self.measure.least else self.value <= self.limit

    def sentence(self) -> str:
        """Return the figure and the bound in words, such as `label agreement 93.1 % (at least 95 %)`."""
        bound = "at least" if self.measure.least else "at most"
        return f"{self.measure.subject} {self.text(self.value)} ({bound} {self.text(self.limit)})"

    def text(self, value: float) -> str:
        """Return the figure or its bound as it is shown."""
        return f"{100 * value:.6g} %" if self.measure.share else f"{value:.6g}"


def check(comparison: Comparison, limits: Mapping[str, float]) -> list[Check]:
    """Return a check for each bound; limits: by the names of MEASURES. Those that need labels need them here."""
    return [
        Check(measure, measure.value(comparison), limits[measure.name])
        for measure in MEASURES
        if measure.name in limits
    ]


def verdict(checks: Sequence[Check]) -> str:
    """Return one sentence on whether all bounds are kept; those that are not are named."""
    beyond = [check for check in checks if not check.within]
    if not checks:
        return "No tolerance was given, so nothing was judged."
    if not beyond:
        return f"Within tolerance: {'; '.join(check.sentence() for check in checks)}."
    return f"Beyond tolerance, {len(beyond)} of {len(checks)}: {'; '.join(check.sentence() for check in beyond)}."
