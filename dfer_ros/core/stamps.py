"""Time as images tell it: stamps that go backward, and the most frames a second."""

from __future__ import annotations


class StampOrder:
    """Notices a clock that jumped back, as when a bag starts again."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def goes_backward(self, stamp: float) -> bool:
        """Return whether stamp (seconds) lies before the stamp of the call before."""
        backward = stamp < self._last
        self._last = stamp
        return backward


class RateLimiter:
    """Lets at most `rate` frames a second through, without drift, and loses none to the jitter of a camera."""

    _EARLY = 0.25
    """Share of a period by which a frame may come early."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._due: float | None = None

    def accepts(self, stamp: float) -> bool:
        """Return whether the frame of this stamp (seconds) is to be processed, and count it if so."""
        period = 1.0 / self.rate
        if self._due is None or self._due - stamp > 2 * period:
            self._due = stamp
        if stamp < self._due - self._EARLY * period:
            return False
        # The frame after a late one may come when it would have come anyway.
        self._due = max(self._due + period, stamp + 0.5 * period)
        return True
