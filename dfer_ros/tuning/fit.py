"""Latency over input size: the Lagrange polynomial of Ghadami et al., and a monotone curve that does not oscillate.

"A Scalable Method for Real-Time Facial Emotion Recognition using an Artificial Neural Network and Polynomial Equation"
(International Journal of Web Research) puts a polynomial through the latencies of ten resolutions. One of so high a
degree swings between them where times are noisy, most near the ends; so a monotone curve stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
