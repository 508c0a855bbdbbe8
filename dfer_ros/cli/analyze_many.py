"""`dfer analyze` of many recordings: in all cores or on a Ray cluster, and on with the rest after it was stopped."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dfer_ros.cli.ray_tasks import analyze_on_ray
from dfer_ros.cli.recording_worker import RecordingResult, RecordingTask
from dfer_ros.cli.recordings_summary import say_summary, write_summary
from dfer_ros.cli.terminal import progress, warn
from dfer_ros.cli.worker_processes import analyze_in_processes
from dfer_ros.core.atomic_file import remove_parts
from dfer_ros.core.errors import SourceError
from dfer_ros.core.installed_files import at_home
from dfer_ros.recordings.analysis_receipt import finished_receipt, source_identity
from dfer_ros.recordings.answer_file import output_name
from dfer_ros.recordings.find_recordings import find_recordings
from dfer_ros.recordings.frame_source import INCOMPLETE_CODE
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer

SUMMARY_FILE = "recordings.csv"


@dataclass(frozen=True)
class _Plan:
    """finished: those of an earlier run. failed: recordings that cannot be read."""

    finished: list[RecordingResult]
    failed: list[RecordingResult]
    tasks: list[RecordingTask]


def configure_many(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer analyze` that are about many recordings."""
    group = parser.add_argument_group("many recordings")
    group.add_argument(
        "--processes", type=int, default=0, help="with --output-folder: how many at once (as many as there are cores)"
    )
    group.add_argument(
        "--ray", metavar="ADDRESS", default="", help="with --output-folder: Ray cluster to use, or `local`"
    )


def analyze_many(sources: Sequence[str], folder: Path, config: AnalysisConfig, processes: int, ray: str) -> int:
    """Analyze recordings into a folder, show how far it is, and sum up.

    Returns 1 where some failed, else INCOMPLETE_CODE where frames of some could not be read, else 0.

    processes: 0 takes as many as this process may use cores. ray: address of a cluster; empty: processes here.
    """
    if processes < 0:
        raise SourceError("--processes must be 1 or more.")
    processes = processes or len(os.sched_getaffinity(0))
    found = find_recordings(sources)
    recordings = found.recordings
    warn(*found.remarks())
    with _own_folder(folder):
        remove_parts(folder)
        plan = _plan(recordings, folder.resolve(), config)
        begin = time.monotonic()
        results = [*plan.finished, *plan.failed]
        if plan.tasks:
            coming = analyze_on_ray(plan.tasks, ray, processes) if ray else analyze_in_processes(plan.tasks, processes)
            results += _gather(coming, len(recordings), results)
        by_source = {result.task.source: result for result in results}
        results = [by_source[recording] for recording in recordings]
        write_summary(folder / SUMMARY_FILE, results)
    say_summary(folder, results, {result.task.source for result in plan.finished}, time.monotonic() - begin)
    if any(result.receipt is None for result in results):
        return 1
    return INCOMPLETE_CODE if any(result.receipt and result.receipt.expected for result in results) else 0


@contextlib.contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """Make the folder and keep other runs out of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be used ({error.strerror}): choose another one.") from error
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceError(
                f"Another `dfer analyze` writes into {folder}: wait for it or choose another folder."
            ) from error
        yield
    finally:
        os.close(opened)


def _plan(recordings: Sequence[Path], folder: Path, config: AnalysisConfig) -> _Plan:
    """Return what is done and what is to do, the largest first, so that no core is idle at the end."""
    # Models are opened here so that what is wrong with them is said once, and so that `auto` is decided once.
    analyzer = RecordingAnalyzer(_absolute(config))
    analysis = analyzer.identity
    plan = _Plan([], [], [])
    for recording in recordings:
        output = folder / output_name(recording)
        try:
            task = RecordingTask(recording, output, source_identity(recording), analyzer.config, analysis)
        except OSError as error:
            task = RecordingTask(recording, output, {}, analyzer.config, analysis)
            plan.failed.append(RecordingResult(task, problem=f"{recording} cannot be read ({error.strerror})."))
            continue
        receipt = finished_receipt(output, task.source_identity, analysis)
        if receipt:
            plan.finished.append(RecordingResult(task, receipt))
        else:
            plan.tasks.append(task)
    plan.tasks.sort(key=lambda task: -task.source_identity["bytes"])
    return plan


def _absolute(config: AnalysisConfig) -> AnalysisConfig:
    """Return a configuration that says the same in another working folder."""
    model, yunet_model = config.model, config.yunet_model
    return replace(
        config,
        model=str(at_home(Path(model)).resolve()) if "/" in model else model,
        yunet_model=str(at_home(Path(yunet_model)).resolve()) if yunet_model else yunet_model,
    )


def _arrived(result: RecordingResult) -> RecordingResult:
    """Return the result, as a failure where another machine wrote the output and this one does not see it."""
    if result.receipt is None or result.task.output.exists():
        return result
    return replace(
        result, receipt=None, problem=f"{result.task.output} was written on another machine: share its folder."
    )


def _gather(
    coming: Generator[RecordingResult, None, None], count: int, before: Sequence[RecordingResult]
) -> list[RecordingResult]:
    """Return the results that come, and show how far it is; whatever ends it ends what is under way too."""
    columns = (
        TextColumn("analyzing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("recordings, {task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    failed = sum(result.receipt is None for result in before)
    results = []
    # Left to itself, a generator may end only with Python, when nothing can be imported or tidied up any more.
    with contextlib.closing(coming), progress(*columns) as shown:
        bar = shown.add_task("recordings", total=count, completed=len(before), failed=failed)
        for result in map(_arrived, coming):
            failed += result.receipt is None
            shown.update(bar, advance=1, failed=failed)
            results.append(result)
    return results
