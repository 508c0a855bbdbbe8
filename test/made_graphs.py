"""Graphs as `dfer watch` sees them, made, and what it draws of them."""

import io

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rich.console import Console

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.cli.watch_view import WatchView
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.palette import ON_DARK
from dfer_ros.graph.watched_graph import GraphMemory

NUMBERS = {
    "input rate (Hz)": "30.0",
    "output rate (Hz)": "24.1",
    "latency p50 (ms)": "36.8",
    "latency p95 (ms)": "78.6",
    "drop share (%)": "19.5",
    "dropped in 5 s: replaced": "29",
    "dropped in 5 s: failed": "0",
}


def an_emotion(face_id="k7f3a", expression="happy", sure=0.86, **fields):
    rest = (1.0 - sure) / 6
    probabilities = [sure if name == expression else rest for name in EXPRESSIONS]
    shown = {"valence": 0.62, "arousal": 0.31, "intensity": 0.71, "phase": Emotion.APEX, **fields}
    return Emotion(face_id=face_id, expression=expression, confidence=sure, probabilities=probabilities, **shown)


def a_status(name="/dfer/dfer_node: faces", level=0, message="24.1 Hz, 36.8 ms, 1 face", values=NUMBERS):
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=bytes([level]), message=message, values=pairs)


def a_graph(emotions, age=0.0, statuses=(), status_age=0.0, latency=0.037):
    """Return a graph whose newest answer is `age` seconds old, after two seconds at 30 Hz."""
    memory = GraphMemory()
    memory.expect("/dfer/emotions", publishers=1)
    for index in range(60):
        memory.take_emotions("/dfer/emotions", EmotionArray(emotions=emotions), latency, 100.0 - (59 - index) / 30)
    memory.take_diagnostics(DiagnosticArray(status=list(statuses)), 100.0 + age - status_age)
    return memory.graph(100.0 + age)


def drawn(graph, width=80, height=None, **console):
    """Return what is drawn, line by line."""
    shown = Console(width=width, file=io.StringIO(), **console)
    shown.print(WatchView(shown, ON_DARK).draw(graph, height))
    return shown.file.getvalue().splitlines()
