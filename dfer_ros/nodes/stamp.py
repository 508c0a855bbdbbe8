"""Message stamps as seconds."""

from __future__ import annotations

from rclpy.clock import Clock
from std_msgs.msg import Header


def header_seconds(header: Header) -> float:
    """Return a header's stamp in seconds, 0 where it has none."""
    seconds: float = header.stamp.sec + header.stamp.nanosec * 1e-9
    return seconds


def stamp_seconds(header: Header, clock: Clock) -> float:
    """Return a header's stamp in seconds; a header without one (zero) counts as taken now."""
    return header_seconds(header) or clock.now().nanoseconds * 1e-9
