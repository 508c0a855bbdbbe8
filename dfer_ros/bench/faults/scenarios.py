"""`dfer bench faults`: what goes wrong on a robot, done to the real graph, and whether it survives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dfer_ros.bench.faults.check import Check, Extent
from dfer_ros.bench.faults.images import malformed_images
from dfer_ros.bench.faults.kills import kills
from dfer_ros.bench.faults.lifecycle import lifecycle
from dfer_ros.bench.faults.long_run import long_run
from dfer_ros.bench.faults.streams import camera, crowd
from dfer_ros.bench.load import Advance
from dfer_ros.core.errors import DferError, SourceError

SCENARIOS: Mapping[str, Callable[[Extent, Advance], Iterator[Check]]] = {
    "malformed_images": malformed_images,
    "lifecycle": lifecycle,
    "kills": kills,
    "camera": camera,
    "crowd": crowd,
    "long_run": long_run,
}


@dataclass(frozen=True)
class ScenarioResult:
    """The checks of a scenario and how long it took."""

    scenario: str
    seconds: float
    checks: Sequence[Check]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


def chosen_scenarios(only: Iterable[str]) -> list[str]:
    """Return these names in the order of the bench, or all; raises DferError for a name that is not known."""
    wanted = set(only)
    unknown = sorted(wanted - set(SCENARIOS))
    if unknown:
        raise DferError(f"There is no scenario {', '.join(unknown)}: use {', '.join(SCENARIOS)}.")
    return [name for name in SCENARIOS if not wanted or name in wanted]


def open_log(path: Path) -> TextIO:
    """Return the file for the lines of the nodes, which can be read while the bench runs; raises SourceError."""
    try:
        return path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise SourceError(f"{path} cannot be written ({error.strerror}): choose another --output.") from error


def run_scenarios(names: Sequence[str], extent: Extent, console: Console) -> list[ScenarioResult]:
    """Run scenarios one after another and show how far they are."""
    description, state = TextColumn("{task.description:<18}"), TextColumn("{task.fields[state]}")
    results = []
    with Progress(description, BarColumn(), TimeElapsedColumn(), state, console=console) as progress:
        tasks = [progress.add_task(name, total=1.0, start=False, state="waits") for name in names]
        for name, task in zip(names, tasks):
            results.append(_run(name, extent, progress, task))
    return results


def _run(name: str, extent: Extent, progress: Progress, task: TaskID) -> ScenarioResult:
    """Run one scenario; what keeps it from its end is a check that failed."""
    progress.start_task(task)
    progress.update(task, state="runs")
    start, checks = time.monotonic(), []
    try:
        for check in SCENARIOS[name](extent, lambda share: progress.update(task, completed=share)):
            checks.append(check)
    except DferError as error:
        checks.append(Check("the scenario comes to its end", str(error), False))
    result = ScenarioResult(name, time.monotonic() - start, checks)
    progress.update(task, completed=1.0, state="[green]passed[/]" if result.passed else "[red]failed[/]")
    progress.stop_task(task)
    return result


def sum_up(results: Sequence[ScenarioResult]) -> str:
    """Return how many checks passed in how long, in a sentence."""
    checks = [check for result in results for check in result.checks]
    failed = sum(not check.passed for check in checks)
    minutes = sum(result.seconds for result in results) / 60.0
    verdict = f"{failed} of {len(checks)} checks failed" if failed else f"all {len(checks)} checks passed"
    return f"{verdict}, in {minutes:.0f} min"
