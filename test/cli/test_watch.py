"""`dfer watch` as a command: its arguments, what it shows on what it writes to, and how it ends."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import pytest
from made_graphs import an_emotion

from dfer_ros.cli import watch as watch_command
from dfer_ros.ros.waiting import PATIENCE_SECONDS

DFER = [sys.executable, "-m", "dfer_ros.cli.main", "watch"]


def test_the_page_lists_every_argument_with_its_default():
    parser = ArgumentParser()
    watch_command.configure(parser)
    page = (Path(__file__).resolve().parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(--[\w-]+)` \| (.*?) \|", page, re.MULTILINE)
    assert {option for option, _ in listed} == {*parser._option_string_actions} - {"-h", "--help"}
    assert dict(listed)["--timeout"] == f"`{parser.get_default('timeout'):g}` s"


def watch(*arguments):
    return subprocess.run([*DFER, *arguments], capture_output=True, text=True, timeout=120)


def test_once_prints_how_things_stand(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    done = watch("--once", "--timeout", "60")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("/dfer/emotions ") and lines[0].endswith(" 1 person")
    assert lines[2].startswith("k7f3a     happy      86%")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--once", "--timeout", "0.5"], "nobody publishes dfer_msgs/msg/EmotionArray: does the graph run, and in "
         "this ROS_DOMAIN_ID ({ROS_DOMAIN_ID})?"),
        (["--once", "--timeout", "0"], "--timeout must be above 0 seconds."),
        (["--topic", "no topic"], "--topic 'no topic' is no name of a topic"),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_said_in_a_sentence(arguments, sentence):
    done = watch(*arguments)
    assert done.returncode == 1
    assert sentence.format_map(os.environ) in done.stderr
    assert "Traceback" not in done.stderr


def test_into_a_pipe_it_writes_lines_until_ctrl_c(robot):
    robot.publish("/dfer/emotions", [an_emotion()])
    process = subprocess.Popen(DFER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = iter(process.stdout.readline, "")
    assert any("k7f3a    happy       86%" in line for line in lines)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
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
    assert process.wait(60) == 130
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
    assert process.wait(60) == 130
    os.close(ours)
