"""What all subcommands of `dfer` share: arguments, signals, standard output, and what is not installed."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from dfer_command import dfer

from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import wait_until

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]


@pytest.fixture
def video(clip, tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoOutput(path, 30.0) as output:
        for frame in clip * 20:
            output.write(frame)
    return path


@pytest.fixture
def fake_rclpy(tmp_path):
    """An rclpy that does what is asked of it at import, and the environment in which it is found."""

    def make(code):
        (tmp_path / "rclpy").mkdir()
        (tmp_path / "rclpy" / "__init__.py").write_text(code)
        return {**os.environ, "PYTHONPATH": str(tmp_path)}

    return make


def test_help_leaves_names_as_they_are_written(capsys):
    assert dfer("analyze", "--help") == 0
    said = capsys.readouterr().out
    assert "Read the emotions of recordings into JSONL files, without ROS." in " ".join(said.split())


@pytest.mark.parametrize("command", ["fetch", "analyze"])
def test_an_unknown_flag_shows_the_usage_of_its_subcommand(capsys, command):
    required = {"fetch": ["yunet"], "analyze": ["a.mp4", "--output", "a.jsonl"]}
    assert dfer(command, *required[command], "--no-such-flag") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: dfer {command} ")
    assert f"dfer {command}: error: unrecognized arguments: --no-such-flag" in said


def test_the_home_folder_has_its_short_name_in_every_path(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "runs").mkdir()
    assert dfer("compare", "~/old.jsonl", "~/new.jsonl", "--json", "~/runs") == 2
    assert f"{tmp_path}/runs is a folder" in capsys.readouterr().err
    assert dfer("compare", "~/old.jsonl", "~nobody_of_this_name/new.jsonl") == 2
    assert f"{tmp_path}/old.jsonl cannot be read" in capsys.readouterr().err


def test_a_terminal_that_lacks_a_sign_shows_a_question_mark(clip, tmp_path):
    folder = tmp_path / "\u5c0f\u660e"
    folder.mkdir()
    cv2.imwrite(str(tmp_path / "face.png"), clip[0])
    command = [*DFER, "analyze", str(tmp_path), "--output", str(folder / "a.jsonl")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "??/a.jsonl" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "{video}", "--output", "{video}"),
        ("analyze", "{video}", "--output", "{other}", "--video", "{link}"),
        ("report", "{record}", "--output", "page.html", "--faces", "--source", "table.csv", "--csv", "table.csv"),
        ("report", "{record}", "--output", "page.html", "--csv", "a.csv", "--episodes", "./folder/../a.csv"),
    ],
)
def test_no_output_replaces_what_is_read_or_another_output(clip, tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    video = tmp_path / "clip.mp4"
    with VideoOutput(video, 30.0) as output:
        output.write(clip[0])
    (tmp_path / "link.mp4").symlink_to(video)
    (tmp_path / "record.jsonl").touch()
    (tmp_path / "table.csv").write_text("old")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    places = {"video": video, "link": "link.mp4", "record": "record.jsonl", "other": "other.jsonl"}
    assert dfer(*(argument.format(**places) for argument in arguments)) == 1
    assert "would replace" in (said := capsys.readouterr().err) or "must be two files" in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_and_a_closed_terminal_leave_nothing_half_written(video, tmp_path, number):
    output = tmp_path / "out"
    output.mkdir()
    command = [*DFER, "analyze", str(video), "--output", str(output / "a.jsonl"), "--video", str(output / "a.mp4")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: process.poll() is not None or len(list(output.iterdir())) == 2)
    assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(output.iterdir()) == []


def test_under_nohup_a_closed_terminal_ends_nothing(capsys):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert dfer("fetch", "--help") == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_ctrl_c_while_ros_is_loaded_ends_without_a_traceback(fake_rclpy):
    environment = fake_rclpy("import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [*DFER, "run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


def test_ctrl_c_while_a_library_in_c_is_loaded_is_no_failure_of_that_library(fake_rclpy):
    # As NumPy does, which says besides that importing it failed.
    interrupted = (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException:\n    print('!')\n"
    )
    code = interrupted + "raise ImportError('initialization failed')\n"
    done = subprocess.run([*DFER, "run"], env=fake_rclpy(code), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "raise ImportError('librcl.so: cannot open\\nshared object file')",
            "dfer run cannot be loaded (librcl.so: cannot open shared object file): ",
        ),
        ("import no_such_module", "dfer run needs no_such_module, which is not installed: "),
    ],
)
def test_a_library_that_cannot_be_loaded_is_told_in_one_sentence(fake_rclpy, code, sentence):
    done = subprocess.run([*DFER, "run"], env=fake_rclpy(code), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "None" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "{bag}", "--output", "a.jsonl"),
        ("run", "--source", "{bag}"),
        ("replay", "{bag}"),
        ("report", "{bag}", "--output", "page.html"),
        ("record", "--repair", "{bag}", "--output", "new"),
    ],
)
def test_every_command_knows_a_bag_of_ros_1(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(5000))
    assert dfer(*(argument.format(bag="talk.bag") for argument in arguments)) == 1
    assert "talk.bag is a bag of ROS 1: 'rosbags-convert --src talk.bag --dst NEW'" in capsys.readouterr().err


@pytest.mark.parametrize("topic", ["/camera-1/image_raw", "/camera 1/image_raw", "/1cam/image_raw"])
def test_run_says_before_anything_starts_that_a_topic_cannot_have_a_name(capsys, topic):
    assert dfer("run", "--image", topic) == 1
    assert f"--image '{topic}' is no name of a topic; one is " in capsys.readouterr().err


def test_a_name_that_is_too_long_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").touch()
    assert dfer("report", "a.jsonl", "--output", f"{'x' * 300}.html") == 1
    assert "cannot be used (File name too long): choose another name." in capsys.readouterr().err


def test_what_is_closed_takes_no_part_of_what_is_written(clip, tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), clip[-1])
    command = [*DFER, "analyze", "face.png", "--output", "a.jsonl"]
    done = subprocess.run(["bash", "-c", f"{shlex.join(command)} <&- >&- 2>&-"], cwd=tmp_path, timeout=120)
    assert done.returncode == 0
    assert [json.loads(line)["frame"] for line in (tmp_path / "a.jsonl").read_text().splitlines()] == [0]


def test_ros2_run_finds_the_command_after_an_installation_with_pip():
    command = Path(sys.prefix) / "lib" / "dfer_ros" / "dfer"
    assert subprocess.run([command, "--version"], capture_output=True, text=True).stdout.startswith("dfer ")
