"""Times that can be compared: medians of many calls, candidates in turn, so that noise falls on all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np

BLOCKS = range(10)
"""The rounds in which candidates take turns."""
_RUNS = 25
"""Calls of one block that count; some before them fill the caches with this candidate."""


def median_seconds(call: Callable[[], object], runs: int) -> float:
    """Return the median time of one call in seconds, over `runs` calls in a row."""
    return float(np.median(_times(call, runs)))


def median_milliseconds(
    candidates: Mapping[str, Callable[[], object]], blocks: Iterable[int] = BLOCKS, runs: int = _RUNS
) -> dict[str, float]:
    """Return the median time in milliseconds of one call of each candidate, by name.

    blocks: BLOCKS, or what shows the progress over them. runs: calls of a block that count; a fifth more warm up.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    warm_up = -(-runs // 5)
    for _ in blocks:
        for name, candidate in candidates.items():
            times[name] += _times(candidate, warm_up + runs)[warm_up:]
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def _times(call: Callable[[], object], runs: int) -> list[float]:
    """Return the times in seconds of calls in a row."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times
