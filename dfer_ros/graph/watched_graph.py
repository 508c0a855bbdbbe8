"""What was heard of a running graph, as it stands at one moment: emotions by topic, and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.streams.statistics import StreamSnapshot, StreamStatistics

STALE_SECONDS = 1.0
"""An answer older than this says nothing about now."""
STATUS_STALE_SECONDS = 3.0
"""Diagnostics come once a second: a node without them for so long hangs or has ended."""
_FORGET_SECONDS = 10.0
_FORGET_STATUS_SECONDS = 60.0
_OUR_KEYS = frozenset({"input rate (Hz)", "output rate (Hz)", "latency p50 (ms)", "latency p95 (ms)", "drop share (%)"})
"""What tells the diagnostics of this package's nodes from those of motors and batteries."""


@dataclass(frozen=True)
class WatchedPerson:
    """The newest answer about a person, and how many seconds ago it was heard."""

    emotion: Emotion
    age: float

    @property
    def stale(self) -> bool:
        """Whether the answer is too old to say anything about now."""
        return self.age > STALE_SECONDS


@dataclass(frozen=True)
class WatchedTopic:
    """A topic of emotions: its publishers, its statistics (latency from stamp to here), and persons, oldest first."""

    name: str
    publishers: int
    statistics: StreamSnapshot
    persons: tuple[WatchedPerson, ...]


@dataclass(frozen=True)
class WatchedStatus:
    """The newest status of a node's stream on /diagnostics; level: as there, 0 is OK; age: seconds since heard."""

    name: str
    level: int
    message: str
    values: Mapping[str, str]
    age: float

    @property
    def stale(self) -> bool:
        """Whether the node has stopped publishing its status."""
        return self.age > STATUS_STALE_SECONDS


@dataclass(frozen=True)
class WatchedGraph:
    """All that is known at one moment."""

    topics: tuple[WatchedTopic, ...] = ()
    statuses: tuple[WatchedStatus, ...] = ()

    @property
    def heard(self) -> bool:
        """Whether any topic has sent anything yet."""
        return any(topic.statistics.received for topic in self.topics)


class _Topic:
    def __init__(self) -> None:
        self.publishers = 0
        self.statistics = StreamStatistics()
        self.persons: dict[str, tuple[float, Emotion]] = {}


class GraphMemory:
    """Takes in messages and tells how things stand. Times are those of time.monotonic(), given by the caller.

    Persons are forgotten 10 s after the last answer about them, and a status a minute after its last message.
    """

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._statuses: dict[str, tuple[float, WatchedStatus]] = {}

    def expect(self, topic: str, publishers: int) -> None:
        """Note how many publish a topic, heard or not."""
        self._topics.setdefault(topic, _Topic()).publishers = publishers

    def forget(self, topic: str) -> None:
        """Drop a topic."""
        self._topics.pop(topic, None)

    def take_emotions(self, topic: str, message: EmotionArray, latency_seconds: float, now: float) -> None:
        """Take in the answer to one image, heard latency_seconds after its stamp."""
        heard = self._topics.setdefault(topic, _Topic())
        heard.statistics.received(now)
        heard.statistics.processed(now, latency_seconds, len(message.emotions))
        for emotion in message.emotions:
            heard.persons[emotion.face_id] = (now, emotion)

    def take_diagnostics(self, message: DiagnosticArray, now: float) -> None:
        """Take in the statuses of this package's nodes and leave the others."""
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if values.keys() >= _OUR_KEYS:
                level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
                self._statuses[status.name] = (now, WatchedStatus(status.name, level, status.message, values, 0.0))

    def graph(self, now: float) -> WatchedGraph:
        """Return how things stand at a time."""
        self._statuses = {k: v for k, v in self._statuses.items() if now - v[0] < _FORGET_STATUS_SECONDS}
        return WatchedGraph(
            tuple(_watched(name, topic, now) for name, topic in sorted(self._topics.items())),
            tuple(
                WatchedStatus(status.name, status.level, status.message, status.values, now - heard)
                for heard, status in sorted(self._statuses.values(), key=lambda entry: entry[1].name)
            ),
        )


def _watched(name: str, topic: _Topic, now: float) -> WatchedTopic:
    topic.persons = {face: (at, e) for face, (at, e) in topic.persons.items() if now - at < _FORGET_SECONDS}
    persons = tuple(WatchedPerson(emotion, now - at) for at, emotion in topic.persons.values())
    return WatchedTopic(name, topic.publishers, topic.statistics.snapshot(now), persons)
