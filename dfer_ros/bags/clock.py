"""The time of a bag while it is played."""

from __future__ import annotations


class BagClock:
    """Tells when a message of a bag is due, at a rate, with pauses. A pause moves all that comes after it.

    rate: seconds of the bag in a second. Times of the bag are nanoseconds since 1970; now and due times are seconds of
    one steady clock, which the caller reads.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._start = 0
        self._started_at = 0.0
        self._paused_at: float | None = None

    def start(self, bag_time: int, now: float) -> None:
        """Begin, or begin again, at a time of the bag."""
        self._start, self._started_at = bag_time, now
        self._paused_at = None

    @property
    def paused(self) -> bool:
        """Whether the time of the bag stands still."""
        return self._paused_at is not None

    def toggle(self, now: float) -> None:
        """Pause, or go on."""
        if self._paused_at is None:
            self._paused_at = now
        else:
            self._started_at += now - self._paused_at
            self._paused_at = None

    def due(self, bag_time: int) -> float:
        """Return when a time of the bag comes, unless there is a pause until then."""
        return self._started_at + (bag_time - self._start) * 1e-9 / self._rate

    def time(self, now: float) -> int:
        """Return the time of the bag."""
        elapsed = (now if self._paused_at is None else self._paused_at) - self._started_at
        return self._start + round(elapsed * self._rate * 1e9)
