"""Files that appear whole or not at all, and videos that keep the time."""

import os
import stat
import subprocess
import sys

import cv2
import numpy as np
import pytest
from unprivileged import UNPRIVILEGED

from dfer_ros.core.atomic_file import check_outputs, remove_parts, whole_file
from dfer_ros.core.errors import OutputError
from dfer_ros.recordings.video_output import VideoOutput

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def frames_of(path):
    return int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))


@pytest.mark.parametrize(
    ("stamps", "frames"),
    [
        ([index / 10 for index in range(20)], 20),
        ([index / 5 for index in range(10)], 19),
        ([0.0, 0.1, 1.0, 1.1], 12),
        ([1.7e9 + index / 10 for index in range(20)], 20),
        ([0.0, 0.1, 1.7e9, 1.7e9 + 0.1], 4),
        ([500.0, 500.1, 3.0, 3.1], 4),
    ],
    ids=["steady", "every second one", "a gap", "since 1970", "a jump", "a jump back"],
)
def test_a_video_keeps_the_time_of_its_stamps(tmp_path, stamps, frames):
    path = tmp_path / "video.mp4"
    with VideoOutput(path, 10.0) as video:
        for stamp in stamps:
            video.write_at(IMAGE, stamp)
    assert frames_of(path) == frames


def test_no_path_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with VideoOutput(None, 10.0) as video:
        video.write_at(IMAGE, 0.0)
        video.write(IMAGE)
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_neither_video_nor_text(tmp_path):
    with (
        pytest.raises(ValueError),
        whole_file(tmp_path / "a.txt") as text,
        VideoOutput(tmp_path / "a.mp4", 10.0) as video,
    ):
        text.write("half")
        video.write(IMAGE)
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_when_the_new_one_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError), whole_file(path) as text:
        text.write("new")
        raise ValueError
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"), whole_file(tmp_path / "nowhere" / "a.txt"):
        pass


@pytest.mark.parametrize("fps", [1 / 3600, 123.4567, 655.4567, 999.99, 1e6, float("inf"), float("nan")])
def test_a_video_has_every_image_whatever_rate_its_source_tells(tmp_path, fps):
    path = tmp_path / "video.mp4"
    with VideoOutput(path, fps) as video:
        for _ in range(5):
            video.write(IMAGE)
    assert frames_of(path) == 5


def test_a_link_stays_and_the_file_behind_it_is_written(tmp_path):
    there, gone = tmp_path / "there.txt", tmp_path / "gone.txt"
    there.write_text("old")
    for number, file in enumerate((there, gone)):
        link = tmp_path / f"link{number}"
        link.symlink_to(file)
        with whole_file(link) as text:
            text.write("new")
        assert link.is_symlink()
        assert file.read_text() == "new"


def test_a_pipe_is_refused_and_stays(tmp_path):
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for output in (pipe, tmp_path / "link.mp4"):
        if output != pipe:
            output.symlink_to(pipe)
        with pytest.raises(OutputError, match="is a device or a pipe"), whole_file(output) as text:
            text.write("new")
        with pytest.raises(OutputError, match="is a device or a pipe"), VideoOutput(output, 10.0) as video:
            video.write(IMAGE)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"pipe.mp4", "link.mp4"}


@pytest.mark.parametrize("name", ["file.yaml", "folder/file.yaml"])
def test_what_is_write_protected_is_refused_and_stays(tmp_path, name):
    file = tmp_path / "file.yaml"
    file.write_text("old")
    file.chmod(0o444)
    (tmp_path / "folder").mkdir(mode=0o555)
    command = [*UNPRIVILEGED, sys.executable, "-m", "dfer_ros.cli.main", "tune", "--plot", str(tmp_path / "plot.png")]
    done = subprocess.run([*command, "--output", str(tmp_path / name)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "is write-protected" in done.stderr
    assert done.stderr.count("\n") == 1
    assert file.read_text() == "old"


def test_two_at_once_do_not_disturb_each_other(tmp_path):
    path, video = tmp_path / "a.txt", tmp_path / "a.mp4"
    with whole_file(path) as one, VideoOutput(video, 10.0) as one_video:
        one.write("one")
        one_video.write(IMAGE)
        with whole_file(path) as other, VideoOutput(video, 10.0) as other_video:
            other.write("the other")
            for _ in range(3):
                other_video.write(IMAGE)
        assert (path.read_text(), frames_of(video)) == ("the other", 3)
    assert (path.read_text(), frames_of(video)) == ("one", 1)
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "a.mp4"}


def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path):
    new, private = tmp_path / "new.txt", tmp_path / "private.txt"
    private.touch(mode=0o600)
    before = os.umask(0o027)
    try:
        for path in (new, private):
            with whole_file(path) as text:
                text.write("new")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, private)] == [0o640, 0o600]


def test_what_a_killed_process_left_half_written_is_removed_and_nothing_else(tmp_path):
    others = ["a.jsonl", "download.part", "a.jsonl.part", "b[1].jsonl.12345678.part"]
    for name in (*others, "a.jsonl.0a1b2c3d.part"):
        (tmp_path / name).touch()
    remove_parts(tmp_path, "a.jsonl")
    assert {path.name for path in tmp_path.iterdir()} == set(others)
    remove_parts(tmp_path, "b[1].jsonl")
    assert {path.name for path in tmp_path.iterdir()} == set(others[:3])
    (tmp_path / "c.csv.0a1b2c3d.part").touch()
    remove_parts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(others[:3])


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("read.jsonl", "would replace .*read.jsonl, which is read"),
        ("folder/../read.jsonl", "would replace .*read.jsonl, which is read"),
        ("link.jsonl", "would replace .*read.jsonl, which is read"),
        ("hard_link.jsonl", "would replace .*read.jsonl, which is read"),
        ("written.jsonl", "must be two files"),
        ("folder/../written.jsonl", "must be two files"),
        ("folder", "is a folder: name a file"),
        ("nowhere/a.jsonl", "there is no folder .*nowhere"),
        ("read.jsonl/a.jsonl", "cannot be written"),
        ("a" * 250 + ".jsonl", "File name too long"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_work(tmp_path, output, sentence):
    read = tmp_path / "read.jsonl"
    read.write_text("old")
    (tmp_path / "link.jsonl").symlink_to(read)
    (tmp_path / "hard_link.jsonl").hardlink_to(read)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=sentence):
        check_outputs((read, None), (tmp_path / "written.jsonl", None, tmp_path / output))
    assert read.read_text() == "old"
