"""One thread beside the executor that works on the latest item only: older ones are replaced, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestWorker(Generic[Item]):
    """Calls handle(item) in its own thread for the newest item given to put().

    replaced: how many items were dropped for newer ones. An exception of handle goes to on_error; the thread lives on.
    """

    def __init__(self, handle: Callable[[Item], None], on_error: Callable[[Exception], None]) -> None:
        self.replaced = 0
        self._handle = handle
        self._on_error = on_error
        self._waiting: list[Item] = []
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="latest_worker", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand over an item; returns at once."""
        with self._changed:
            self.replaced += len(self._waiting)
            self._waiting = [item]
            self._changed.notify()

    def close(self) -> None:
        """Finish the item at hand, drop the one that waits, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waiting)
                if self._closing:
                    return
                item = self._waiting.pop()
            try:
                self._handle(item)
            except Exception as error:
                self._on_error(error)
