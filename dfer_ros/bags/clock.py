"""The time of a bag while it is played: when a message is due, and the /clock that says it."""

from __future__ import annotations

from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock

from dfer_ros.streams.stamps import CLOCK_TOLERANCE


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


_LARGEST_LAG_NANOSECONDS = round(CLOCK_TOLERANCE * 1e9 / 2)
"""A message further ahead of /clock than twice this would count as stamped by another clock."""


class ReplayClock:
    """Tells the time of the bag to whoever follows /clock.

    Telling wakes them up, and they take the processor from the player: it is done in the lull after a message rather
    than when one is due, unless the clock would fall too far behind. Times of the bag are nanoseconds since 1970, now
    is seconds of a steady clock.
    publisher: None tells nothing. rate: Hz, how often at least.
    """

    def __init__(self, publisher: Publisher | None, rate: float) -> None:
        self._publisher = publisher
        self._period = 1.0 / rate if rate else float("inf")
        self._told = 0
        self._told_at = 0.0
        self._sent_since = False

    def begin(self, bag_time: int, now: float) -> None:
        """Set the clock to a time of the bag, even to an earlier one."""
        self._told = bag_time
        self._publish_time(bag_time, now)

    def before_message(self, bag_time: int, now: float) -> None:
        """Catch up where the clock is far behind the message that is about to be sent."""
        if bag_time - self._told > _LARGEST_LAG_NANOSECONDS:
            self._publish_time(bag_time, now)
        self._sent_since = True

    def tell_if_due(self, bag_time: int, now: float, lull: bool) -> None:
        """Publish the time: in a lull after one period or after a message, at any other moment after two periods."""
        wait = now - self._told_at
        if (lull and (self._sent_since or wait >= self._period)) or wait >= 2.0 * self._period:
            self._publish_time(bag_time, now)

    def _publish_time(self, bag_time: int, now: float) -> None:
        if self._publisher is None:
            return
        self._told, self._told_at, self._sent_since = max(self._told, bag_time), now, False
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(self._told, 10**9)
        self._publisher.publish(message)
