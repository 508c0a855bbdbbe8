"""What `dfer watch` draws of made graphs."""

import io

import pytest
from made_graphs import a_graph, a_status, an_emotion, drawn
from rich.console import Console

from dfer_msgs.msg import Emotion
from dfer_ros.cli.watch_view import WatchView
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.palette import ON_DARK
from dfer_ros.graph.watched_graph import WatchedGraph


def colours(graph, text):
    """Return the colours in which a text is drawn."""
    console = Console(width=80, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    lines = console.render_lines(WatchView(console, ON_DARK).draw(graph))
    found = [segment for line in lines for segment in line if text in segment.text]
    return {segment.style.color.name for segment in found}


def test_a_person_is_drawn_with_all_that_the_message_says_in_80_columns():
    lines = drawn(a_graph([an_emotion(), an_emotion("p2", "disgusted", 0.5, phase=Emotion.NEUTRAL_PHASE)]))
    assert lines[0] == "/dfer/emotions   30.0 Hz   latency p50 37 ms, p95 37 ms   2 persons"
    assert lines[1].split() == list(EXPRESSIONS)
    assert " ".join(lines[2].split()) == "k7f3a happy 86% valence +0.62 arousal +0.31 intensity 0.71 apex"
    assert [word for word in lines[3].split() if word.endswith("%")] == ["2%", "86%", *["2%"] * 5]
    assert lines[4].endswith("neutral")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [60, 80, 200])
def test_only_names_are_cut_where_the_terminal_is_narrow(width):
    graph = a_graph([an_emotion("a very long name of a face")], statuses=[a_status("/a/very/long/namespace/node: s")])
    lines = drawn(graph, width)
    assert max(map(len, lines)) <= width
    assert lines[3].count("%") == len(EXPRESSIONS)
    row = next(line for line in lines if line.startswith("/a/very"))
    assert row.split()[-7:] == ["OK", "30.0", "24.1", "36.8", "78.6", "19.5", "%"]


def test_a_bar_is_as_long_as_its_probability():
    def filled(sure):
        line = drawn(a_graph([an_emotion(sure=sure)]), width=200)[3]
        return line.count("█")

    assert filled(1.0) == 11
    assert filled(0.5) == 5
    assert filled(float("nan")) == 0


def test_a_stale_answer_greys_out_and_tells_its_age():
    assert colours(a_graph([an_emotion()]), "happy     ") == {ON_DARK["happy"].lower(), "bright_black"}
    stale = a_graph([an_emotion()], age=2.5)
    assert colours(stale, "happy     ") == {"bright_black"}
    assert colours(stale, "valence") == {"bright_black"}
    assert any(line.startswith("  2.5 s") for line in drawn(stale))
    assert drawn(stale)[0] == "/dfer/emotions   silent for 2 s"
    assert a_graph([an_emotion()], age=11.0).topics[0].persons == ()


def test_a_text_of_a_message_cannot_control_the_terminal():
    evil = a_graph([an_emotion("\x1b[2J\n[red]")], statuses=[a_status("/x: \x1b]0;me\x07", 1, "\x1b[31m[bold]")])
    for shown in (drawn(evil), drawn(evil, force_terminal=True, color_system=None)):
        text = "".join(shown)
        assert "\x1b" not in text and "\x07" not in text
        assert "?[2J?[red" in text and "[bold]" in text


def test_a_terminal_without_unicode_gets_ascii():
    raw = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    console = Console(width=80, file=raw)
    graph = a_graph([an_emotion("Zoë 笑")], statuses=[a_status("/a/name/that/is/much/longer/than/its/column: image")])
    console.print(WatchView(console, ON_DARK).draw(graph))
    raw.flush()
    text = raw.buffer.getvalue().decode("ascii")
    assert "####" in text and "Zo? ?" in text


def test_persons_who_find_no_room_are_counted_and_the_streams_stay_in_sight():
    graph = a_graph([an_emotion(f"p{index}") for index in range(20)], statuses=[a_status()])
    lines = drawn(graph, height=23)
    assert len(lines) <= 23
    shown = sum("valence" in line for line in lines)
    assert shown >= 7
    assert f"and {20 - shown} more" in lines
    assert any("/dfer/dfer_node: faces" in line for line in lines)


def test_the_statuses_of_our_streams_are_shown_with_what_is_wrong():
    other = a_status("/motor: left", 2, "hot", {"temperature": "90"})
    lines = drawn(a_graph([], statuses=[a_status(level=1, message="20 % of the frames are dropped."), other]))
    row = next(line for line in lines if line.startswith("/dfer/dfer_node: faces"))
    assert row.split()[2:] == ["WARN", "30.0", "24.1", "36.8", "78.6", "19.5", "%"]
    assert "WARN /dfer/dfer_node: faces: 20 % of the frames are dropped." in lines
    assert "/dfer/dfer_node: faces: dropped in 5 s: replaced 29" in lines
    assert not any("motor" in line for line in lines)


def test_a_node_that_says_nothing_any_more_is_stale():
    lines = drawn(a_graph([], statuses=[a_status()], status_age=7.0))
    assert "STALE /dfer/dfer_node: faces: silent for 7 s" in lines


@pytest.mark.parametrize("latency", [-3.0, 1e9])
def test_stamps_of_another_clock_give_no_latency(latency):
    assert "latency n/a: stamps of another clock" in drawn(a_graph([an_emotion()], latency=latency))[0]


def test_a_graph_without_emotions_says_so():
    assert drawn(WatchedGraph()) == ["Nobody publishes emotions yet."]
