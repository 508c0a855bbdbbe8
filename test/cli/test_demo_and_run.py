"""`dfer demo` and `dfer run` as a person starts them: a process, a terminal, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import cv2
import psutil
import pytest

from dfer_ros.cli.outputs import VideoOutput

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]


@pytest.fixture
def environment():
    """A ROS domain of its own."""
    return {**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 50) % 100), "PYTHONUNBUFFERED": "1"}


def test_the_demo_answers_its_clip_and_leaves_video_and_lines(environment, tmp_path):
    done = subprocess.run(
        [*DFER, "demo", "--output", str(tmp_path)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "happy" in done.stdout
    records = [json.loads(line) for line in (tmp_path / "demo.jsonl").read_text().splitlines()]
    assert {record["face_id"] for record in records} == {"face1", "face2", "face3"}
    assert sum(record["expression"] == "happy" for record in records) > 0.95 * len(records)
    # How many of the 360 a busy machine answers in time is for `dfer bench graph` to say.
    assert len({record["frame"] for record in records}) > 100
    video = cv2.VideoCapture(str(tmp_path / "demo.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) > 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.jsonl", "demo.mp4"]


def test_run_plays_a_source_to_its_end(environment, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoOutput(path, 30.0) as video:
        for frame in clip:
            video.write(frame)
    command = [*DFER, "run", "--source", str(path), "--precision", "fp32", "--overlay"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fp32 on CPUExecutionProvider" in done.stdout
    assert "happy" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_a_kill_and_a_closed_terminal_end_run_and_all_its_nodes(environment, number):
    process = subprocess.Popen([*DFER, "run", "--image", "/nobody"], env=environment, stdout=subprocess.PIPE, text=True)
    lines = iter(process.stdout.readline, "")
    assert any("Looking for faces on /nobody" in line for line in lines)
    children = psutil.Process(process.pid).children()
    assert len(children) == 2
    time.sleep(0.5)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "/nowhere.mp4"], "There is no file or folder /nowhere.mp4"),
        (["--source", "63"], "Camera 63 cannot be opened"),
        (["--model", "/nowhere/model"], "There is no model folder /nowhere/model"),
    ],
)
def test_what_cannot_run_is_said_in_a_sentence(environment, arguments, sentence):
    done = subprocess.run([*DFER, "run", *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
