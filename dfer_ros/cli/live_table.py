"""The emotions of a running graph as a table that people read while it changes."""

from __future__ import annotations

import threading
import time
from collections import deque

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.ros.stamp import header_seconds

_STALE_SECONDS = 1.0
_BAR_WIDTH = 16
_STYLES = {
    "neutral": "white",
    "happy": "green",
    "sad": "blue",
    "angry": "red",
    "surprised": "yellow",
    "scared": "magenta",
    "disgusted": "dark_sea_green4",
    UNKNOWN: "bright_black",
}


class LiveTable:
    """Shows one row a person. Where the output is no terminal, a line is printed whenever an expression changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, Emotion]] = {}
        self._arrivals: deque[float] = deque(maxlen=60)
        self._first_stamp: float | None = None
        self._deeds: dict[str, str] = {}
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8, transient=False)

    def __enter__(self) -> LiveTable:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print a line above the table."""
        self._console.print(line, style="bright_black", highlight=False, markup=False, soft_wrap=True)

    def show_deed(self, what: str, how: str) -> None:
        """Show below the table the newest of what a behaviour does; what it logs is enough where there is none."""
        with self._lock:
            self._deeds[what] = how

    def update(self, message: EmotionArray) -> None:
        """Take in the emotions of a frame."""
        now = time.monotonic()
        with self._lock:
            self._arrivals.append(now)
            for emotion in message.emotions:
                before = self._seen.get(emotion.face_id)
                self._seen[emotion.face_id] = (now, emotion)
                if not self._console.is_terminal and (before is None or before[1].expression != emotion.expression):
                    self._print_change(message, emotion)

    def _print_change(self, message: EmotionArray, emotion: Emotion) -> None:
        stamp = header_seconds(message.header)
        self._first_stamp = stamp if self._first_stamp is None else self._first_stamp
        self._console.print(
            f"{stamp - self._first_stamp:7.2f} s  {emotion.face_id:<8} {emotion.expression:<10} "
            f"{emotion.confidence:4.0%}  valence {emotion.valence:+.2f}  arousal {emotion.arousal:+.2f}",
            highlight=False,
            soft_wrap=True,
        )

    def _table(self) -> Table:
        now = time.monotonic()
        with self._lock:
            rows = [(face, emotion) for face, (at, emotion) in self._seen.items() if now - at < _STALE_SECONDS]
            arrivals = [at for at in self._arrivals if now - at < _STALE_SECONDS]
            deeds = "   ".join(f"{what}: {how}" for what, how in self._deeds.items())
        table = Table(title=f"emotions  {len(arrivals)} Hz", title_justify="left", expand=False)
        table.caption, table.caption_justify = Text(f"robot  {deeds}") if deeds else None, "left"
        for heading in ("person", "expression", "confidence", *EXPRESSIONS, "valence", "arousal"):
            table.add_column(heading, justify="left" if heading in ("person", "expression", "confidence") else "right")
        for face, emotion in rows:
            style = _STYLES.get(emotion.expression, "white")
            table.add_row(
                face,
                Text(emotion.expression, style=f"bold {style}"),
                _bar(emotion.confidence, style),
                *(f"{p:.0%}" for p in emotion.probabilities),
                f"{emotion.valence:+.2f}",
                f"{emotion.arousal:+.2f}",
            )
        if not rows:
            table.add_row("-", Text("nobody is seen", style="bright_black"))
        return table


def _bar(share: float, style: str) -> Text:
    filled = round(share * _BAR_WIDTH)
    text = Text("█" * filled, style=style)
    return text.append("░" * (_BAR_WIDTH - filled), style="bright_black").append(f" {share:4.0%}")
