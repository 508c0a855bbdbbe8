"""The measured latencies of one encoder over its input sizes, and the two curves through them.

"A Scalable Method for Real-Time Facial Emotion Recognition using an Artificial Neural Network and Polynomial Equation"
(Ghadami et al., International Journal of Web Research) puts a Lagrange polynomial through the latencies of ten
resolutions. One of so high a degree swings between them where times are noisy, most near the ends; so a monotone curve
that does not oscillate stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BarycentricInterpolator, PchipInterpolator

Curve = Callable[[npt.ArrayLike], npt.NDArray[np.float64]]
"""Latencies in milliseconds of input sizes in pixels."""
Fit = Callable[[Sequence[float], Sequence[float]], Curve]
"""Makes a curve of measured input sizes, rising, and their latencies; at least two of them."""


def lagrange_fit(sizes: Sequence[float], times: Sequence[float]) -> Curve:
    """Return the polynomial of lowest degree through all measurements, in its stable barycentric form."""
    curve: Curve = BarycentricInterpolator(np.array(sizes, dtype=np.float64), np.array(times, dtype=np.float64))
    return curve


def monotone_fit(sizes: Sequence[float], times: Sequence[float]) -> Curve:
    """Return a curve that never falls: isotonic regression, then PCHIP (Fritsch & Butland 1984) through what it gives.

    Where the measurements rise all along, it goes through every one of them.
    """
    curve: Curve = PchipInterpolator(np.array(sizes, dtype=np.float64), non_decreasing(times))
    return curve


def non_decreasing(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the values that never fall and lie nearest to the given ones by least squares (isotonic regression).

    By its max-min formula. SciPy has the same from 1.12 on; the Ubuntu releases of Humble and Jazzy have an older one.
    """
    count = len(values)
    means = [
        [np.mean(values[start : end + 1]) if start <= end else np.nan for end in range(count)] for start in range(count)
    ]
    return np.array([max(min(means[start][at:]) for start in range(at + 1)) for at in range(count)], dtype=np.float64)


def leave_one_out(fit: Fit, sizes: Sequence[float], times: Sequence[float]) -> list[float]:
    """Return what a fit to the other measurements predicts for each; NaN for both ends, which lie outside."""
    predictions = [float("nan")] * len(sizes)
    for left_out in range(1, len(sizes) - 1):
        others = [index for index in range(len(sizes)) if index != left_out]
        curve = fit([sizes[index] for index in others], [times[index] for index in others])
        predictions[left_out] = float(curve(sizes[left_out]))
    return predictions


def largest_within(curve: Curve, sizes: Sequence[int], budget: float) -> int | None:
    """Return the largest of the sizes whose latency on the curve is at most the budget; None where there is none."""
    return max((size for size in sizes if float(curve(size)) <= budget), default=None)


@dataclass(frozen=True)
class LatencyCurve:
    """precision, provider: see EncoderVariant. sizes: those measured, rising, pixels. times_ms: one frame at each.

    allowed: all input sizes that may be chosen, measured or not.
    """

    precision: str
    provider: str
    sizes: tuple[int, ...]
    times_ms: tuple[float, ...]
    allowed: tuple[int, ...]

    def with_point(self, size: int, ms: float) -> LatencyCurve:
        """Return the curve with the latency in milliseconds of one more size."""
        points = sorted([*zip(self.sizes, self.times_ms), (size, ms)])
        sizes, times = zip(*points)
        return replace(self, sizes=sizes, times_ms=times)

    @cached_property
    def lagrange(self) -> Curve:
        """The polynomial of the paper."""
        return lagrange_fit(self.sizes, self.times_ms)

    @cached_property
    def monotone(self) -> Curve:
        """The curve that never falls: latencies are predicted and solved with it."""
        return monotone_fit(self.sizes, self.times_ms)

    @property
    def method(self) -> str:
        """How the monotone curve came about."""
        rises = list(self.times_ms) == sorted(self.times_ms)
        return "PCHIP" if rises else "isotonic regression, then PCHIP"

    @property
    def left_out_lagrange(self) -> list[float]:
        """What the polynomial through the other measurements predicts for each; NaN at both ends."""
        return leave_one_out(lagrange_fit, self.sizes, self.times_ms)

    @property
    def left_out_monotone(self) -> list[float]:
        """The same of the monotone curve."""
        return leave_one_out(monotone_fit, self.sizes, self.times_ms)

    def predicted_ms(self, size: int) -> float:
        """Return the latency at a size on the monotone curve."""
        return float(self.monotone(size))

    def largest(self, budget_ms: float) -> tuple[int | None, int | None]:
        """Return the largest allowed size within the budget by the polynomial, and by the monotone curve."""
        return largest_within(self.lagrange, self.allowed, budget_ms), largest_within(
            self.monotone, self.allowed, budget_ms
        )
