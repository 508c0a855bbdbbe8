"""Times that can be compared: all candidates in one run, block by block in turn, so that noise falls on all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from rich.console import Console
from rich.progress import track

_BLOCKS = 10
_RUNS, _WARM_UP_RUNS = 25, 5
"""Runs of one block that count, and those before them that fill the caches with this candidate."""


def median_milliseconds(
    candidates: Mapping[str, Callable[[], object]], description: str, console: Console
) -> dict[str, float]:
    """Return the median time in milliseconds of one call of each candidate, by name."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    blocks: Iterable[int] = track(range(_BLOCKS), description=description, console=console, transient=True)
    for _ in blocks:
        for name, candidate in candidates.items():
            times[name] += _block(candidate)
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def _block(candidate: Callable[[], object]) -> list[float]:
    """Return the times in seconds of one block of calls."""
    times = []
    for _ in range(_WARM_UP_RUNS + _RUNS):
        start = time.perf_counter()
        candidate()
        times.append(time.perf_counter() - start)
    return times[_WARM_UP_RUNS:]
