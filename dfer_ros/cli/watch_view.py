"""Draws a watched graph for a terminal: two lines a person, the statistics of every stream, what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.cells import set_cell_size
from rich.console import Console, Group, JustifyMethod, OverflowMethod, RenderableType
from rich.table import Table
from rich.text import Text

from dfer_msgs.msg import Emotion
from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.graph.watched_graph import WatchedGraph, WatchedPerson, WatchedStatus, WatchedTopic
from dfer_ros.streams.statistics import WINDOW_SECONDS, StreamSnapshot

LEVELS = ("OK", "WARN", "ERROR", "STALE")
"""By their number in diagnostic_msgs/DiagnosticStatus."""
_LEVEL_STYLES = ("green", "yellow", "bold red", "bright_black")
_GREY = "bright_black"
_PERSON_WIDTH, _NUMBER_WIDTH, _WIDEST_CELL = 10, 5, 16
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FUTURE_SECONDS, _OTHER_CLOCK_SECONDS = -0.05, 60.0
"""Outside of these, the time from stamp to here is no latency: the stamps are those of another clock."""
_HEADINGS = ("level", "in Hz", "out Hz", "p50 ms", "p95 ms", "dropped")
_KEYS = ("input rate (Hz)", "output rate (Hz)", "latency p50 (ms)", "latency p95 (ms)")
_RECENT_DROPS = f"dropped in {WINDOW_SECONDS:.0f} s: "
_GAP, _NARROWEST_STREAM = 2, 12


class WatchView:
    """Draws for a console: as wide as it is, and in its character set.

    palette: sRGB by expression, as in core/palette.py.
    """

    def __init__(self, console: Console, palette: Mapping[str, str]) -> None:
        self._console = console
        self._palette = palette
        self._plain = console.options.ascii_only

    def draw(self, graph: WatchedGraph, height: int | None = None) -> RenderableType:
        """Return the picture of a graph. height: lines there are; persons that find no room are only counted."""
        streams = self._streams(graph.statuses)
        if not graph.topics:
            return Group(self._line("Nobody publishes emotions yet.", style=_GREY), *streams)
        room = None
        if height is not None:
            taken = sum(len(self._console.render_lines(part)) for part in streams)
            room = max(1, (height - taken - 3 * len(graph.topics)) // 2 // len(graph.topics))
        return Group(*(part for topic in graph.topics for part in self._topic(topic, room)), *streams)

    def clean(self, text: str) -> str:
        """Return text from a message without what could control the terminal, or what it cannot show."""
        shown = "".join(character if character.isprintable() else "?" for character in text)
        return shown.encode("ascii", "replace").decode() if self._plain else shown

    def _topic(self, topic: WatchedTopic, room: int | None) -> list[RenderableType]:
        title = self._line((self.clean(topic.name), "bold"), "   ", topic_summary(topic))
        persons = topic.persons
        if room is not None and len(persons) > room:
            persons = tuple(sorted(persons, key=lambda person: person.stale)[:room])
        lines = [line for person in persons for line in self._person(person)]
        left_out = len(topic.persons) - len(persons)
        more = [self._line(f"and {left_out} more", style=_GREY)] if left_out else [self._line("")]
        return [title, *([self._headings()] if lines else []), *lines, *more]

    def _headings(self) -> Text:
        cells = "".join(set_cell_size(name, self._cell() - 1) + " " for name in EXPRESSIONS)
        return self._line(" " * _PERSON_WIDTH + cells, style=_GREY)

    def _person(self, person: WatchedPerson) -> tuple[Text, Text]:
        emotion = person.emotion
        style = _GREY if person.stale else self._palette.get(emotion.expression, self._palette[UNKNOWN])
        plain = _GREY if person.stale else ""
        first = self._line(
            (self._fit(emotion.face_id, _PERSON_WIDTH), plain or "bold"),
            (self._fit(emotion.expression, 10), style if person.stale else f"bold {style}"),
            *self._secondary(emotion, person.stale),
            (_figures(emotion), plain),
        )
        second = self._line((set_cell_size(f"{person.age:5.1f} s", _PERSON_WIDTH), _GREY))
        for name, share in zip(EXPRESSIONS, emotion.probabilities):
            bar = self._bar(float(share), self._cell() - _NUMBER_WIDTH)
            second.append(bar, _GREY if person.stale else self._palette[name])
            number = f"{share:4.0%} "
            second.append(number, plain or ("" if share >= 0.1 else _GREY))
        return first, second

    def _secondary(self, emotion: Emotion, stale: bool) -> list[tuple[str, str]]:
        """Return the other half of a compound expression, nothing where there is one only."""
        if not emotion.secondary:
            return []
        style = _GREY if stale else self._palette.get(emotion.secondary, self._palette[UNKNOWN])
        return [(f"+ {self.clean(emotion.secondary)} {emotion.secondary_confidence:.0%} ", style)]

    def _cell(self) -> int:
        """Return the width of one expression's cell: bar, number and a space."""
        return min(_WIDEST_CELL, max(_NUMBER_WIDTH + 1, (self._console.width - _PERSON_WIDTH) // len(EXPRESSIONS)))

    def _bar(self, share: float, width: int) -> str:
        share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
        if self._plain:
            return ("#" * round(share * width)).ljust(width)
        full, part = divmod(round(share * width * 8), 8)
        return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)

    def _streams(self, statuses: Sequence[WatchedStatus]) -> list[RenderableType]:
        if not statuses:
            return []
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style=_GREY)
        # Only names are cut where the terminal is narrow.
        room = self._console.width - sum(len(heading) + _GAP for heading in _HEADINGS)
        longest = max(len(status.name) for status in statuses)
        table.add_column(
            "stream", width=max(_NARROWEST_STREAM, min(longest, room)), no_wrap=True, overflow=self._overflow()
        )
        for heading in _HEADINGS:
            side: JustifyMethod = "left" if heading == "level" else "right"
            table.add_column(heading, justify=side, no_wrap=True, min_width=len(heading), overflow="crop")
        for status in statuses:
            figures = (self.clean(text) for text in (*(status.values[key] for key in _KEYS), drop_share(status)))
            style = _GREY if status.stale else ""
            table.add_row(self.clean(status.name), level_text(status), *figures, style=style)
        return [table, *(finding for status in statuses for finding in self._findings(status))]

    def _findings(self, status: WatchedStatus) -> list[Text]:
        name = self.clean(status.name)
        if status.stale:
            return [Text.assemble(level_text(status), f" {name}: silent for {status.age:.0f} s")]
        findings = [Text.assemble(level_text(status), f" {name}: {self.clean(status.message)}")] if status.level else []
        drops = recent_drops(status)
        if drops:
            findings.append(Text(self.clean(f"{status.name}: {_RECENT_DROPS}{drops}"), style=_GREY))
        return findings

    def _fit(self, text: str, width: int) -> str:
        return set_cell_size(self.clean(text), width - 1) + " "

    def _line(self, *parts: str | tuple[str, str] | Text, style: str = "") -> Text:
        line = Text.assemble(*parts, style=style, no_wrap=True)
        line.overflow = self._overflow()
        return line

    def _overflow(self) -> OverflowMethod:
        return "crop" if self._plain else "ellipsis"


def level_text(status: WatchedStatus) -> Text:
    """Return the level of a status in its colour; STALE where the node no longer says anything."""
    level = LEVELS.index("STALE") if status.stale else min(status.level, len(LEVELS) - 1)
    return Text(LEVELS[level], style=_LEVEL_STYLES[level])


def topic_summary(topic: WatchedTopic) -> str:
    """Return rate, latency and persons of a topic, or why there are none."""
    statistics = topic.statistics
    publishers = "" if topic.publishers == 1 else f"   {topic.publishers} publishers"
    if not topic.publishers:
        publishers = "   nobody publishes it"
    if statistics.input_age is None:
        return f"nothing heard yet{publishers}"
    if statistics.input_age > 1.0:
        return f"silent for {statistics.input_age:.0f} s{publishers}"
    present = statistics.faces or 0
    persons = "1 person" if present == 1 else f"{present} persons"
    return f"{statistics.output_rate:.1f} Hz   {latency_text(statistics)}   {persons}{publishers}"


def latency_text(statistics: StreamSnapshot) -> str:
    """Return the time from the stamp of the image to here, median and 95th percentile."""
    p50, p95 = statistics.latency_p50, statistics.latency_p95
    if p50 is None or p95 is None:
        return "latency n/a"
    if not _FUTURE_SECONDS <= p50 <= _OTHER_CLOCK_SECONDS:
        return "latency n/a: stamps of another clock"
    return f"latency p50 {1e3 * p50:.0f} ms, p95 {1e3 * p95:.0f} ms"


def drop_share(status: WatchedStatus) -> str:
    """Return the share of the frames of the last seconds that were lost."""
    return f"{status.values['drop share (%)']} %"


def recent_drops(status: WatchedStatus) -> str:
    """Return how many frames of the last seconds were dropped for which reason; empty: none."""
    counts = ((key.removeprefix(_RECENT_DROPS), n) for key, n in status.values.items() if key.startswith(_RECENT_DROPS))
    return ", ".join(f"{reason} {count}" for reason, count in counts if count != "0")


def _figures(emotion: Emotion) -> str:
    return (
        f"{emotion.confidence:4.0%}  valence {emotion.valence:+.2f}  arousal {emotion.arousal:+.2f}"
        f"  intensity {emotion.intensity:.2f}  {phase_name(emotion)}"
    )


def phase_name(emotion: Emotion) -> str:
    """Return the phase by name, `phase 9` for one that there is not."""
    return PHASES[emotion.phase] if emotion.phase < len(PHASES) else f"phase {emotion.phase}"
