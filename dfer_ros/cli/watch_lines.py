"""Tells of a watched graph line by line, for a pipe, a log, or a terminal that cannot move its cursor."""

from __future__ import annotations

import time

from rich.console import Console

from dfer_ros.cli.watch_view import WatchView, level_text, phase_name, topic_summary
from dfer_ros.graph.watched_graph import WatchedGraph, WatchedStatus, WatchedTopic

_SUMMARY_SECONDS = 10.0


class WatchLines:
    """Prints a line when an expression or a level changes, and a summary of every topic now and then."""

    def __init__(self, console: Console, view: WatchView) -> None:
        self._console = console
        self._view = view
        self._expressions: dict[tuple[str, str], str] = {}
        self._levels: dict[str, str] = {}
        self._summed_up = float("-inf")

    def tell(self, graph: WatchedGraph, now: float) -> None:
        """Print what is new. now: time.monotonic()."""
        if now - self._summed_up >= _SUMMARY_SECONDS:
            self._summed_up = now
            for topic in graph.topics:
                self._say(f"{topic.name}   {topic_summary(topic)}")
            if not graph.topics:
                self._say("Nobody publishes emotions yet.")
        for topic in graph.topics:
            self._tell_changes(topic)
        for status in graph.statuses:
            self._tell_level(status)

    def _tell_changes(self, topic: WatchedTopic) -> None:
        for emotion in (person.emotion for person in topic.persons):
            key = (topic.name, emotion.face_id)
            named = f"{emotion.expression}+{emotion.secondary}"
            if self._expressions.get(key) != named:
                self._say(
                    f"{topic.name}   {emotion.face_id:<8} {emotion.expression:<10} {emotion.confidence:4.0%}"
                    f"{f' + {emotion.secondary} {emotion.secondary_confidence:.0%}' if emotion.secondary else ''}"
                    f"  valence {emotion.valence:+.2f}  arousal {emotion.arousal:+.2f}"
                    f"  intensity {emotion.intensity:.2f}  {phase_name(emotion)}"
                )
            self._expressions[key] = named
        seen = {(topic.name, person.emotion.face_id) for person in topic.persons}
        for key in [key for key in self._expressions if key[0] == topic.name and key not in seen]:
            del self._expressions[key]

    def _tell_level(self, status: WatchedStatus) -> None:
        level = level_text(status).plain
        if self._levels.get(status.name) != level:
            text = f"silent for {status.age:.0f} s" if status.stale else status.message
            self._say(f"{status.name}   {level}   {text}")
        self._levels[status.name] = level

    def _say(self, line: str) -> None:
        stamped = f"{time.strftime('%H:%M:%S')}   {self._view.clean(line)}"
        self._console.print(stamped, highlight=False, markup=False, soft_wrap=True)
