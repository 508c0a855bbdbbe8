"""Files that appear whole or not at all, and videos that keep the time."""

import cv2
import numpy as np
import pytest

from dfer_ros.cli.outputs import VideoOutput, whole_file
from dfer_ros.core.errors import SourceError

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
    with pytest.raises(SourceError, match="cannot be written"), whole_file(tmp_path / "nowhere" / "a.txt"):
        pass
