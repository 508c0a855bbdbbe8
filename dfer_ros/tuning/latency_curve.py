"""The measured latencies of one encoder over its input sizes, and the two curves through them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from dfer_ros.tuning.fit import Curve, lagrange_fit, largest_within, leave_one_out, monotone_fit


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
