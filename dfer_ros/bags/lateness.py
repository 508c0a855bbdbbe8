"""How late messages were that had a time to be sent at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lateness:
    """Milliseconds after its time at which a message had been handed over: median, 99th percentile, and the most."""

    median: float
    p99: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ms late (median), {self.p99:.1f} ms (99th percentile), {self.most:.1f} ms at most"


def lateness(seconds: Sequence[float]) -> Lateness:
    """Return the figures of some delays in seconds, at least one."""
    median, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return Lateness(float(median), float(p99), float(max(seconds)) * 1e3)
