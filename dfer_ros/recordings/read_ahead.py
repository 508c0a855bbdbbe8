"""Work in a thread beside: the next items of an iterator are made while this one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")


class _End:
    pass


_END: Final = _End()


def read_ahead(items: Iterator[T], most: int) -> Iterator[T]:
    """Yield the same items in the same order; up to `most` of them are made ahead, in one thread beside.

    most: 0 starts no thread. What the iterator raises is raised here, in its turn. The thread ends with the iteration,
    whether whole or not.
    """
    if most == 0:
        yield from items
        return
    with ThreadPoolExecutor(1) as thread:
        coming: deque[Future[T | _End]] = deque(thread.submit(next, items, _END) for _ in range(most))
        try:
            while not isinstance(item := coming.popleft().result(), _End):
                coming.append(thread.submit(next, items, _END))
                yield item
        finally:
            for future in coming:
                future.cancel()
