"""One thread beside the executor that does the latest job of a stream only: older ones are replaced, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Job = Callable[[], "Callable[[], object] | None"]
"""Begins the work on something, and returns what ends it, if that is not the end."""
Stream = TypeVar("Stream", bound=Hashable)
Result = TypeVar("Result")


class LatestWorker(Generic[Stream]):
    """Runs the newest job of each stream that gave one, in the order in which the streams came.

    All jobs that wait are begun before the first of them is ended, so that they may share what they need in between.
    An exception of a job goes to on_error; the thread lives on.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._waiting: dict[Stream, Job] = {}
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="latest_worker", daemon=True)
        self._thread.start()

    def put(self, job: Job, stream: Stream) -> bool:
        """Hand over a job and return at once; tells whether one was dropped: an older one, after close() this one."""
        with self._changed:
            if self._closing:
                return True
            replaced = stream in self._waiting
            self._waiting[stream] = job
            self._changed.notify()
        return replaced

    def close(self) -> list[Stream]:
        """Finish the jobs at hand, end the thread, and return the streams whose waiting job was dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        return list(self._waiting)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waiting)
                if self._closing:
                    return
                jobs, self._waiting = list(self._waiting.values()), {}
            for end in [self._done(job) for job in jobs]:
                if end is not None:
                    self._done(end)

    def _done(self, step: Callable[[], Result]) -> Result | None:
        """Return what a step returns, None where it failed."""
        try:
            return step()
        except Exception as error:
            self._on_error(error)
            return None
