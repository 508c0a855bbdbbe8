"""What `dfer watch` writes into a pipe of made graphs."""

import io

from made_graphs import a_graph, a_status, an_emotion
from rich.console import Console

from dfer_ros.cli.live_view import WatchLines
from dfer_ros.cli.watch_view import WatchView
from dfer_ros.core.palette import ON_DARK


def test_lines_tell_changes_only():
    console = Console(file=io.StringIO(), width=200)
    lines = WatchLines(console, WatchView(console, ON_DARK))
    for now, expression, level in ((0.0, "happy", 0), (1.0, "happy", 0), (2.0, "sad", 0), (3.0, "sad", 1)):
        lines.tell(a_graph([an_emotion(expression=expression)], statuses=[a_status(level=level)]), now)
    told = [line.split("   ", 1)[1] for line in console.file.getvalue().splitlines()]
    assert [line.split()[:3] for line in told] == [
        ["/dfer/emotions", "30.0", "Hz"],
        ["/dfer/emotions", "k7f3a", "happy"],
        ["/dfer/dfer_node:", "faces", "OK"],
        ["/dfer/emotions", "k7f3a", "sad"],
        ["/dfer/dfer_node:", "faces", "WARN"],
    ]


def test_of_a_graph_that_a_command_runs_only_the_answers_are_told():
    console = Console(file=io.StringIO(), width=200)
    lines = WatchLines(console, WatchView(console, ON_DARK), answers_only=True)
    lines.tell(a_graph([]), 0.0)
    lines.tell(a_graph([an_emotion()], statuses=[a_status(level=1)]), 1.0)
    told = [line.split("   ", 1)[1] for line in console.file.getvalue().splitlines()]
    assert [line.split()[:3] for line in told] == [["/dfer/emotions", "k7f3a", "happy"]]
