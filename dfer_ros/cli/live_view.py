"""The one live view of a graph: drawn where the output is a terminal, told line by line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from dfer_ros.cli.watch_view import WatchView, level_text, phase_name, topic_summary
from dfer_ros.core.palette import ON_DARK
from dfer_ros.graph.watched_graph import WatchedGraph, WatchedStatus, WatchedTopic

_DRAW_SECONDS = 0.25
_SUMMARY_SECONDS = 10.0


class LiveView:
    """Shows a graph as it changes, while the `with` lasts.

    answers_only: where lines are told, leave out the summaries of topics and what the nodes say of themselves.
    """

    def __init__(self, console: Console, palette: Mapping[str, str] = ON_DARK, answers_only: bool = False) -> None:
        self._console = console
        self._view = WatchView(console, palette)
        self._lines = WatchLines(console, self._view, answers_only)
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._drawn = float("-inf")

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print a line above the graph."""
        self._console.print(line, style="bright_black", highlight=False, markup=False, soft_wrap=True)

    def show(self, graph: WatchedGraph, below: str = "") -> None:
        """Show how things stand, at most four times a second. below: a line for a terminal only."""
        now = time.monotonic()
        if self._live is None:
            self._lines.tell(graph, now)
        elif now - self._drawn >= _DRAW_SECONDS:
            self._drawn = now
            height = self._console.height - (2 if below else 1)
            drawn = self._view.draw(graph, height)
            shown: RenderableType = Group(drawn, Text(self._view.clean(below))) if below else drawn
            self._live.update(shown, refresh=True)


class WatchLines:
    """Prints a line when an expression or a level changes, and a summary of every topic now and then."""

    def __init__(self, console: Console, view: WatchView, answers_only: bool = False) -> None:
        self._console = console
        self._view = view
        self._answers_only = answers_only
        self._expressions: dict[tuple[str, str], str] = {}
        self._levels: dict[str, str] = {}
        self._summed_up = float("-inf")

    def tell(self, graph: WatchedGraph, now: float) -> None:
        """Print what is new. now: time.monotonic()."""
        if now - self._summed_up >= _SUMMARY_SECONDS and not self._answers_only:
            self._summed_up = now
            for topic in graph.topics:
                self._print_line(f"{topic.name}   {topic_summary(topic)}")
            if not graph.topics:
                self._print_line("Nobody publishes emotions yet.")
        for topic in graph.topics:
            self._tell_changes(topic)
        for status in () if self._answers_only else graph.statuses:
            self._tell_level(status)

    def _tell_changes(self, topic: WatchedTopic) -> None:
        for emotion in (person.emotion for person in topic.persons):
            key = (topic.name, emotion.face_id)
            named = f"{emotion.expression}+{emotion.secondary}"
            if self._expressions.get(key) != named:
                self._print_line(
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
            self._print_line(f"{status.name}   {level}   {text}")
        self._levels[status.name] = level

    def _print_line(self, line: str) -> None:
        stamped = f"{time.strftime('%H:%M:%S')}   {self._view.clean(line)}"
        self._console.print(stamped, highlight=False, markup=False, soft_wrap=True)
