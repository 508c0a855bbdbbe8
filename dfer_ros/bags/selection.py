"""Which topics and which part of a bag are to be played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfer_ros.bags.reader import read_messages
from dfer_ros.core.errors import SourceError


@dataclass(frozen=True)
class BagPart:
    """start: seconds from the first message of the bag. duration: seconds from start; None: to the end.

    Raises SourceError where one makes no sense.
    """

    start: float = 0.0
    duration: float | None = None

    def __post_init__(self) -> None:
        if not self.start >= 0.0:
            raise SourceError("--start must be 0 or more.")
        if self.duration is not None and not self.duration > 0.0:
            raise SourceError("--duration must be above 0.")


@dataclass(frozen=True)
class Selection:
    """Connections of an open bag (`rosbags`) and the times of reception, nanoseconds since 1970, to play.

    stop: comes after the last one.
    """

    path: Path
    reader: Any
    connections: tuple[Any, ...]
    start: int
    stop: int

    def messages(self) -> Iterator[tuple[Any, int, bytes]]:
        """Yield connection, time of reception (nanoseconds) and bytes of each message."""
        return read_messages(self.reader, self.path, self.connections, self.start, self.stop)

    def passes(self, loop: bool) -> Iterator[tuple[tuple[int, Any], int, bytes]]:
        """Yield the same, the connection with a number that counts how often the bag has begun; endless with loop."""
        count = 0
        while count == 0 or loop:
            empty = True
            for connection, received, data in self.messages():
                yield (count, connection), received, data
                empty = False
            if empty:
                return
            count += 1


def select(reader: Any, path: Path, topics: Sequence[str], part: BagPart) -> Selection:
    """Return what is to be played of an open bag.

    topics: names, all where there are none.
    Raises SourceError where a topic is not there, naming those that are, and where there is no message in that part.
    """
    there = {connection.topic: connection.msgtype for connection in reader.connections}
    # Some bags have names without the slash.
    wanted = {topic.lstrip("/"): topic for topic in topics}
    missing = [topic for bare, topic in wanted.items() if bare not in {name.lstrip("/") for name in there}]
    if missing:
        names = ", ".join(f"{topic} ({kind})" for topic, kind in sorted(there.items())) or "none"
        raise SourceError(f"The bag {path} has no topic {missing[0]}; its topics: {names}.")
    if not reader.message_count:
        raise SourceError(f"The bag {path} holds no messages.")
    length = reader.end_time - reader.start_time
    if part.start * 1e9 >= length:
        raise SourceError(f"The bag {path} lasts {length * 1e-9:.1f} s: --start must be less.")
    start = reader.start_time + round(part.start * 1e9)
    duration = length if part.duration is None else round(min(part.duration * 1e9, length))
    stop = min(reader.end_time, start + duration)
    connections = tuple(c for c in reader.connections if c.topic.lstrip("/") in wanted or not wanted)
    return Selection(path, reader, connections, start, stop)
