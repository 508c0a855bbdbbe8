"""Which input size, precision and provider to take within a budget: the cheapest of the best, not just the largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dfer_ros.core.errors import DferError
from dfer_ros.tuning.accuracy import SizeAccuracy

TOLERANCE = 0.5
"""Points of the mean UAR that count as equal: a few thousand stills tell no smaller difference."""


@dataclass(frozen=True)
class ResolutionOption:
    """One way to run the encoder.

    provider: ONNX Runtime's name. size: pixels. latency_ms: predicted for one frame. accuracy: None where not known.
    """

    precision: str
    provider: str
    size: int
    latency_ms: float
    accuracy: SizeAccuracy | None = None


@dataclass(frozen=True)
class ResolutionChoice:
    """recommended: what to take. largest: the largest size within the budget, the fastest of them. reason: why."""

    recommended: ResolutionOption
    largest: ResolutionOption
    reason: str


def choose(options: Sequence[ResolutionOption], budget_ms: float, tolerance: float = TOLERANCE) -> ResolutionChoice:
    """Return the cheapest option within the budget whose mean UAR is at most tolerance below the best one's.

    Options without accuracy are passed over, unless none within the budget has any: then it is the largest size.
    Raises DferError where no option is within the budget.
    """
    cheapest = min(options, key=lambda option: option.latency_ms)
    within = [option for option in options if option.latency_ms <= budget_ms]
    if not within:
        raise DferError(
            f"The budget of {budget_ms:.3g} ms for the encoder is below its cheapest resolution, {cheapest.size} "
            f"pixels with {cheapest.precision} on {cheapest.provider} in {cheapest.latency_ms:.3g} ms: allow more "
            "time, fewer faces or a lower frame rate."
        )
    largest = min(within, key=lambda option: (-option.size, option.latency_ms))
    known = [(option, option.accuracy.mean_uar) for option in within if option.accuracy is not None]
    if not known:
        reason = "The model does not say how accurate it is by input size: the largest within the budget is taken."
        return ResolutionChoice(largest, largest, reason)
    best = max(uar for _, uar in known)
    equal = [(option, uar) for option, uar in known if uar >= best - tolerance]
    recommended, uar = min(equal, key=lambda pair: (pair[0].latency_ms, -pair[1]))
    return ResolutionChoice(recommended, largest, _reason(recommended, uar, largest, tolerance))


def _reason(recommended: ResolutionOption, uar: float, largest: ResolutionOption, tolerance: float) -> str:
    if recommended.size == largest.size:
        return (
            f"The largest resolution within the budget is also the cheapest of the best accuracy, mean UAR {uar:.1f}."
        )
    if largest.accuracy is None:
        return f"{recommended.size} pixels are the cheapest of the best accuracy that is known, mean UAR {uar:.1f}."
    return (
        f"Beyond {recommended.size} pixels accuracy does not grow by more than {tolerance:g} points "
        f"(mean UAR {uar:.1f}, at {largest.size} {largest.accuracy.mean_uar:.1f}): "
        "the cheapest of the best is taken, not the largest."
    )
