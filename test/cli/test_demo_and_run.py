"""`dfer demo` and `dfer run` as a person starts them: a process, a terminal, Ctrl-C."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import psutil
import pytest
from rich.console import Console
from std_msgs.msg import Float32, String

from dfer_ros.cli.demo import BehaviorLog
from dfer_ros.cli.live_view import LiveView
from dfer_ros.graph.watched_graph import WatchedGraph
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import wait_until

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]


def _environment():
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def environment():
    """One in which what is printed comes at once."""
    return _environment()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The lines that the demo printed, and the folder that it wrote to."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [*DFER, "demo", "--output", str(folder)], env=_environment(), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines(), folder


def _face_ids(records):
    return list(dict.fromkeys(record["face_id"] for record in records))


@pytest.fixture(scope="module")
def records(demo):
    return [json.loads(line) for line in (demo[1] / "demo.jsonl").read_text().splitlines()]


def test_the_demo_answers_its_clip_and_leaves_video_and_lines(demo, records):
    lines, folder = demo
    assert len(_face_ids(records)) == 3
    # How many of the 360 a busy machine answers in time is for `dfer bench graph` to say.
    assert len({record["frame"] for record in records}) > 40
    video = cv2.VideoCapture(str(folder / "demo.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) > 200
    assert sorted(path.name for path in folder.iterdir()) == ["demo.jsonl", "demo.mp4"]
    assert lines[-1].endswith("demo.jsonl")


def test_in_the_demo_two_smile_and_the_one_who_came_back_stops_smiling(records):
    first, back, second = ([r["expression"] for r in records if r["face_id"] == name] for name in _face_ids(records))
    assert first.count("happy") > 0.95 * len(first)
    assert second.count("happy") > 0.95 * len(second)
    assert (back[0], back[-1]) == ("happy", "sad")


def test_in_the_demo_the_behaviours_greet_two_and_slow_the_speech_for_one(demo, records):
    lines, _ = demo
    first, back, second = _face_ids(records)
    greeted = [line.split('"')[0] for line in lines if line.startswith("greet_node: To ")]
    assert greeted == [f"greet_node: To {first}: ", f"greet_node: To {second}: "]
    rates = [line for line in lines if line.startswith("speech_rate_node: Rate")]
    assert [line.split(" for ")[0] for line in rates] == [f"speech_rate_node: Rate 0.8: {back} has looked frustrated"]
    assert "The behaviours greeted 2 times and slowed the speech once." in lines


def test_the_live_view_shows_below_the_graph_what_the_behaviours_did_last():
    console = Console(force_terminal=True, width=160, file=io.StringIO(), _environ={"TERM": "xterm"})
    behaviors = BehaviorLog()
    assert behaviors.newest() == ""
    behaviors._on_say(String(data="Hello [you]!"))
    behaviors._on_speech_rate(Float32(data=1.0))
    behaviors._on_speech_rate(Float32(data=0.8))
    with LiveView(console) as view:
        view.show(WatchedGraph(), behaviors.newest())
    shown = console.file.getvalue().split("Nobody publishes emotions yet.")[-1]
    assert 'robot  says: "Hello [you]!"   speech rate: 0.8' in shown


def test_run_plays_a_source_to_its_end(environment, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoOutput(path, 30.0) as video:
        for frame in clip:
            video.write(frame)
    command = [*DFER, "run", "--source", str(path), "--precision", "fp32", "--overlay"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fp32 on CPUExecutionProvider" in done.stdout
    assert "happy" in done.stdout


@pytest.mark.parametrize(("processes", "count"), [("one", 1), ("two", 2)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_a_kill_and_a_closed_terminal_end_run_and_all_its_nodes(environment, number, processes, count):
    command = [*DFER, "run", "--image", "/nobody", "--processes", processes]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    lines = iter(process.stdout.readline, "")
    assert any("Looking for faces on /nobody" in line for line in lines)
    children = psutil.Process(process.pid).children()
    assert len(children) == count
    time.sleep(0.5)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert not any(child.is_running() for child in children)


def test_a_node_that_hangs_is_ended_too_whatever_comes_meanwhile(environment):
    process = subprocess.Popen([*DFER, "run", "--image", "/nobody"], env=environment, stdout=subprocess.PIPE, text=True)
    assert any("Looking for faces on /nobody" in line for line in iter(process.stdout.readline, ""))
    (child,) = psutil.Process(process.pid).children()
    child.suspend()
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGHUP, signal.SIGHUP):
        process.send_signal(number)
        time.sleep(0.3)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert not child.is_running()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "/nowhere.mp4"], "There is no file or folder /nowhere.mp4"),
        (["--source", "63"], "Camera 63 cannot be opened"),
        (["--model", "/nowhere/model"], "There is no model folder /nowhere/model"),
        (["--namespace", "bad!ns"], "--namespace 'bad!ns' is no namespace"),
    ],
)
def test_what_cannot_run_is_said_in_a_sentence(environment, arguments, sentence):
    done = subprocess.run([*DFER, "run", *arguments], env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("processes", "count"), [("one", 1), ("two", 2)])
def test_ctrl_c_while_the_nodes_start_says_nothing(environment, processes, count):
    command = [*DFER, "run", "--image", "/nobody", "--processes", processes]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert wait_until(lambda: len(psutil.Process(process.pid).children()) == count)
    children = psutil.Process(process.pid).children()
    time.sleep(0.3)
    # As a terminal does: to everybody whom it runs.
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 130
    # On a quick computer a node has loaded its model by then, and says so.
    begun = ("Reading emotions with", "Looking for faces on /nobody")
    assert [line for line in said.splitlines() if not any(words in line for words in begun)] == []
    assert not any(child.is_running() for child in children)


def test_a_demo_that_cannot_be_written_does_not_begin(environment, tmp_path):
    (tmp_path / "demo.mp4").mkdir()
    command = [*DFER, "demo", "--output", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "demo.mp4 is a folder: name a file." in done.stderr
    assert done.stdout == ""
