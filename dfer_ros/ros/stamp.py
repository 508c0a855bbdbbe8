"""Message stamps as seconds."""

from __future__ import annotations

from std_msgs.msg import Header


def header_seconds(header: Header) -> float:
    """Return a header's stamp in seconds, 0 where it has none."""
    seconds: float = header.stamp.sec + header.stamp.nanosec * 1e-9
    return seconds
