"""Tasks for the machines of a Ray cluster, or for a Ray of this computer alone; Ray is an extra."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import dfer_ros
from dfer_ros.cli.recording_worker import RecordingResult, RecordingTask, analyze_recording
from dfer_ros.core.errors import DferError, first_line, last_line

_OBJECT_STORE_BYTES = 100 * 1024 * 1024
"""Of a Ray of this computer alone: tasks and results are small, and recordings do not pass through it."""


def analyze_on_ray(
    tasks: Iterable[RecordingTask], address: str, processes: int
) -> Generator[RecordingResult, None, None]:
    """Yield the results in the order in which they come; every task takes one CPU of the cluster.

    address: of the cluster, such as 10.0.0.1:6379 or auto; `local` starts a Ray of so many processes here.
    A task whose machine or process dies is given to another one, once.
    Raises DferError where Ray is not installed or the cluster does not answer.
    """
    # Ray sends figures about its use to its makers unless told not to; this has to be said before it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise DferError("--ray needs Ray: \"pip install 'dfer_ros[ray]'\", or '.[ray]' in a clone.") from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options |= {"num_cpus": processes, "object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
    try:
        with _own_code():
            ray.init(address, **options)
    except Exception as error:  # ConnectionError, RuntimeError, ValueError, and those of Ray
        raise DferError(
            f"Ray cannot be reached at {address} ({first_line(error).rstrip('.')}): name the head of a cluster."
        ) from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=1)(analyze_recording)
        waiting = {remote.remote(task): task for task in tasks}
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            task = waiting.pop(done)
            try:
                result: RecordingResult = ray.get(done)
            except ray.exceptions.RayError as error:
                line = last_line(error) if isinstance(error, ray.exceptions.RayTaskError) else first_line(error)
                result = RecordingResult(task, problem=f"Ray could not analyze {task.source}: {line.rstrip('.')}.")
            yield result
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _own_code() -> Iterator[None]:
    """Let the processes of a Ray that is started here find the same dfer_ros as this one, wherever it was started."""
    before = os.environ.get("PYTHONPATH")
    own = str(Path(dfer_ros.__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join([own, before] if before else [own])
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
