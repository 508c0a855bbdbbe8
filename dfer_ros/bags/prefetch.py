"""Reads messages ahead in a thread, so that a slow disk makes none of them late."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key")
_MOST_BYTES = 64 * 2**20
"""About two seconds of 640x480 colour images at 30 Hz."""


class Prefetch(Generic[Key]):
    """Walks an iterator of (key, time, data) in a thread of its own, up to 64 MiB ahead.

    Iterating gives the same items; an exception of the iterator comes out at its place. The thread reads while the
    caller says that it has time, with rest(), and at any time when less than half of the store is left: of two threads
    of Python, on a busy system one keeps the other waiting. close() ends it.
    """

    def __init__(self, source: Iterator[tuple[Key, int, bytes]]) -> None:
        self._source = source
        self._waiting: deque[tuple[Key, int, bytes]] = deque()
        self._bytes = 0
        self._resting = True
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Key, int, bytes]]:
        while True:
            with self._changed:
                self._resting = False
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                item = self._waiting.popleft()
                self._bytes -= len(item[2])
                if self._may_read():
                    self._changed.notify()
            yield item
        if self._error is not None:
            raise self._error

    def fill(self, seconds: float) -> None:
        """Return when the store is full or holds everything, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes >= _MOST_BYTES or self._ended, seconds)

    def rest(self) -> None:
        """Let the thread read until the next item is taken."""
        with self._changed:
            self._resting = True
            self._changed.notify()

    def close(self) -> None:
        """Read no further."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _may_read(self) -> bool:
        return self._bytes < (_MOST_BYTES if self._resting else _MOST_BYTES // 2)

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._may_read() or self._ended)
                    if self._ended:
                        return
                item = next(self._source, None)
                if item is None:
                    return
                with self._changed:
                    self._waiting.append(item)
                    self._bytes += len(item[2])
                    self._changed.notify()
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
