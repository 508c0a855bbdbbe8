"""`dfer watch`: what it draws of made graphs, what it hears of real ones, and how it ends."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rich.console import Console
from sensor_msgs.msg import Image

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.cli import watch as watch_command
from dfer_ros.cli.watch_lines import WatchLines
from dfer_ros.cli.watch_view import WatchView
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.palette import ON_DARK
from dfer_ros.core.stream_health import HealthLimits
from dfer_ros.core.stream_statistics import DropReason, StreamStatistics
from dfer_ros.graph.watched_graph import GraphMemory, WatchedGraph
from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.nodes.diagnostics import Diagnostics, NodeCondition

DFER = [sys.executable, "-m", "dfer_ros.cli.main", "watch"]
DOMAIN = 1 + (os.getpid() + 25) % 100
PATIENCE_SECONDS = 20.0
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


def test_the_page_lists_every_argument_with_its_default():
    parser = ArgumentParser()
    watch_command.configure(parser)
    page = (Path(__file__).resolve().parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(--[\w-]+)` \| (.*?) \|", page, re.MULTILINE)
    assert {option for option, _ in listed} == {*parser._option_string_actions} - {"-h", "--help"}
    assert dict(listed)["--timeout"] == f"`{parser.get_default('timeout'):g}` s"


class Robot:
    """A node that publishes emotions at 20 Hz, on several topics, and spins."""

    def __init__(self):
        self._context = Context()
        rclpy.init(args=[], context=self._context, domain_id=DOMAIN)
        self.node = rclpy.create_node("robot", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._publishers = {}
        self.node.create_timer(0.05, self._publish)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def publish(self, topic, emotions, reliability=ReliabilityPolicy.RELIABLE):
        quality = QoSProfile(depth=10, reliability=reliability)
        self._publishers[topic] = (self.node.create_publisher(EmotionArray, topic, quality), emotions)

    def stop(self, topic):
        publisher, _ = self._publishers.pop(topic)
        self.node.destroy_publisher(publisher)

    def _publish(self):
        for publisher, emotions in list(self._publishers.values()):
            message = EmotionArray(emotions=emotions)
            message.header.stamp = self.node.get_clock().now().to_msg()
            publisher.publish(message)

    def close(self):
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        self._context.shutdown()


@pytest.fixture
def domain(monkeypatch):
    """A ROS domain of this test's own, on this computer only."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def robot(domain):
    made = Robot()
    yield made
    made.close()


def listen_until(watcher, condition):
    """Return the graph when it is as expected."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition(graph := watcher.listen(0.2)):
        assert time.monotonic() < deadline, graph
    return graph


def names(graph):
    return [topic.name for topic in graph.topics if topic.statistics.received]


def test_topics_are_followed_as_they_come_and_go(robot):
    robot.publish("/front/emotions", [an_emotion()], ReliabilityPolicy.BEST_EFFORT)
    with GraphWatcher([]) as watcher:
        listen_until(watcher, lambda graph: names(graph) == ["/front/emotions"])
        robot.publish("/back/emotions", [])
        graph = listen_until(watcher, lambda graph: names(graph) == ["/back/emotions", "/front/emotions"])
        assert [len(topic.persons) for topic in graph.topics] == [0, 1]
        robot.stop("/back/emotions")
        listen_until(watcher, lambda graph: names(graph) == ["/front/emotions"])


def test_only_the_chosen_topics_are_heard(robot):
    for topic in ("/front/emotions", "/back/emotions"):
        robot.publish(topic, [an_emotion()])
    with GraphWatcher(["front/emotions"]) as watcher:
        graph = listen_until(watcher, lambda graph: graph.heard and graph.topics[0].publishers)
    assert [(topic.name, topic.publishers) for topic in graph.topics] == [("/front/emotions", 1)]


def test_the_diagnostics_of_the_nodes_are_understood(robot):
    statistics = StreamStatistics()
    statistics.received(time.monotonic())
    statistics.dropped(DropReason.FAILED)
    diagnostics = Diagnostics(
        robot.node, {"image": statistics}, lambda: NodeCondition({"lifecycle state": "active"}), HealthLimits(), "it"
    )
    with GraphWatcher([]) as watcher:
        graph = listen_until(watcher, lambda graph: graph.statuses)
    diagnostics.close()
    lines = drawn(graph)
    assert next(line for line in lines if line.startswith("/robot: image")).endswith("100.0 %")
    assert "/robot: image: dropped in 5 s: failed 1" in lines


def watch(*arguments):
    return subprocess.run([*DFER, *arguments], capture_output=True, text=True, timeout=60)


def test_once_prints_how_things_stand(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    done = watch("--once", "--timeout", "20")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("/dfer/emotions ") and lines[0].endswith(" 1 person")
    assert lines[2].startswith("k7f3a     happy      86%")
    assert "\x1b" not in done.stdout


def test_why_nothing_was_heard_is_known(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    image = robot.node.create_publisher(Image, "/camera", 1)
    with GraphWatcher(["/camera", "/dfer/emotions"]) as watcher:
        listen_until(watcher, lambda graph: "/camera is sensor_msgs" in watcher.why_nothing() and graph.heard)
        why = watcher.why_nothing()
    robot.node.destroy_publisher(image)
    assert why == "/camera is sensor_msgs/msg/Image, not dfer_msgs/msg/EmotionArray. Emotions are on /dfer/emotions."
    with GraphWatcher(["/nobody/emotions"]) as watcher:
        listen_until(watcher, lambda _: "Emotions are on /dfer/emotions." in watcher.why_nothing())
        assert watcher.why_nothing().startswith(f"nobody publishes it in this ROS_DOMAIN_ID ({DOMAIN}).")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--once", "--timeout", "0.5"], f"nobody publishes dfer_msgs/msg/EmotionArray: does the graph run, and in "
         f"this ROS_DOMAIN_ID ({DOMAIN})?"),
        (["--once", "--timeout", "0"], "--timeout must be above 0 seconds."),
        (["--topic", "no topic"], "--topic 'no topic' is no name of a topic"),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_said_in_a_sentence(domain, arguments, sentence):
    done = watch(*arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_into_a_pipe_it_writes_lines_until_ctrl_c(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    process = subprocess.Popen(DFER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = iter(process.stdout.readline, "")
    assert any("k7f3a    happy       86%" in line for line in lines)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in rest and "\x1b" not in rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_on_a_terminal_it_draws_and_gives_the_cursor_back(robot, monkeypatch, number):
    monkeypatch.setenv("TERM", "xterm-256color")
    robot.publish("/dfer/emotions", [an_emotion()])
    ours, theirs = pty.openpty()
    process = subprocess.Popen(DFER, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = read_until(ours, b"valence")
    assert b"\x1b[?25l" in seen
    process.send_signal(number)
    rest = read_until(ours, b"\x1b[?25h")
    assert process.wait(30) == 130
    assert b"Traceback" not in rest
    os.close(ours)


def read_until(terminal, text):
    """Return what a terminal shows until a text comes."""
    shown, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    while text not in shown:
        assert time.monotonic() < deadline, shown.decode()
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65536)
    return shown


def test_on_a_dumb_terminal_it_moves_no_cursor(robot, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    robot.publish("/dfer/emotions", [an_emotion()])
    ours, theirs = pty.openpty()
    process = subprocess.Popen(DFER, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert b"\x1b" not in read_until(ours, b"happy       86%")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    os.close(ours)
