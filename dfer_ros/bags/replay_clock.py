"""The /clock of a bag that is played."""

from __future__ import annotations

from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock

from dfer_ros.streams.stamps import CLOCK_TOLERANCE

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
        """Set the clock, back as well."""
        self._told = bag_time
        self._publish_time(bag_time, now)

    def before_message(self, bag_time: int, now: float) -> None:
        """Catch up where the clock is far behind the message that is about to be sent."""
        if bag_time - self._told > _LARGEST_LAG_NANOSECONDS:
            self._publish_time(bag_time, now)
        self._sent_since = True

    def tell_if_due(self, bag_time: int, now: float, lull: bool) -> None:
        """Tell the time where it is due, or was long ago; in a lull also where messages were sent since."""
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
