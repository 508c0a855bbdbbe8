"""Tasks for processes of this computer: each takes the next one, and one that dies takes only its own task along."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import cast

from dfer_ros.cli.recording_worker import RecordingResult, RecordingTask, analyze_recording
from dfer_ros.core.atomic_file import remove_parts

_LONGEST_END = 5.0
"""Seconds that a process has to end."""


class _Worker:
    """A process that analyzes what it is sent."""

    def __init__(self, context: SpawnContext) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _children_without_interruption():
            self.process.start()
        # Else the end of the process would not be seen at this end.
        theirs.close()

    def send(self, task: RecordingTask) -> None:
        # A process that is gone is noticed by result().
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def result(self, task: RecordingTask) -> RecordingResult:
        """Return the answer of the process to a task, or a problem that says that the process died."""
        try:
            result: RecordingResult = self.connection.recv()
            return result
        except (EOFError, OSError):
            self.stop(task)
            code = self.process.exitcode or 0
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            return RecordingResult(task, problem=f"The process that analyzed {task.source} was ended {how}.")

    def stop(self, task: RecordingTask | None = None) -> None:
        """End the process, whatever it does, and take away what it has half written of a task."""
        self.process.terminate()
        self.process.join(_LONGEST_END)
        self.process.kill()
        self.process.join()
        self.connection.close()
        if task is not None:
            remove_parts(task.output.parent, task.output.name)


def analyze_in_processes(tasks: Iterable[RecordingTask], processes: int) -> Generator[RecordingResult, None, None]:
    """Yield the results in the order in which they come; at most so many processes (1 or more) are started."""
    # Neither MediaPipe nor ONNX Runtime survives a fork.
    context = multiprocessing.get_context("spawn")
    waiting = deque(tasks)
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, RecordingTask]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < processes:
                worker, task = idle.pop() if idle else _Worker(context), waiting.popleft()
                busy[worker.connection] = worker, task
                worker.send(task)
            for connection in wait(list(busy)):
                worker, task = busy[cast(Connection, connection)]
                result = worker.result(task)
                del busy[worker.connection]
                if worker.process.is_alive():
                    idle.append(worker)
                yield result
    finally:
        for worker in idle:
            worker.stop()
        for worker, task in busy.values():
            worker.stop(task)


@contextlib.contextmanager
def _children_without_interruption() -> Iterator[None]:
    """Keep Ctrl-C for good from a process that is started in the `with`; the one that starts it says what happens then.

    A terminal sends it to every process, and one that still imports what it needs would answer with a traceback.
    """
    # Else starting the process would start this too, which lets Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Where that one is gone, there is nobody to answer.
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(analyze_recording(connection.recv()))


def _end(*_: object) -> None:
    sys.exit(0)


def _end_with_parent() -> None:
    """End this process, whatever it does, as soon as the one that started it is gone.

    That one held the lock of the folder: who comes next writes there, and takes away what is half written.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
