"""`dfer report --faces --source`: whether the faces on the page are those of the recording."""

import cv2
import pytest
from dfer_command import dfer

from dfer_ros.recordings.video_output import VideoOutput


@pytest.fixture(scope="module")
def recording(analyzed):
    """What `dfer analyze` says about a video of a real face."""
    return analyzed[1]


@pytest.fixture(scope="module")
def other_videos(clip, tmp_path_factory):
    """Videos that are not the one that was analyzed: of another rate, smaller, and its first two frames only."""
    folder = tmp_path_factory.mktemp("other")
    kinds = {
        "rate.mp4": (clip, 15.0),
        "small.mp4": ([cv2.resize(frame, (160, 120)) for frame in clip], 30.0),
        "short.mp4": (clip[:2], 30.0),
    }
    for name, (frames, fps) in kinds.items():
        with VideoOutput(folder / name, fps) as output:
            for frame in frames:
                output.write(frame)
    return folder


@pytest.mark.parametrize(
    ("name", "reason"), [("rate.mp4", "s in the recording"), ("small.mp4", "has 160 x 120 pixels")]
)
def test_another_video_is_refused_and_nobody_is_shown(recording, other_videos, tmp_path, capsys, name, reason):
    page = tmp_path / "page.html"
    assert dfer("report", recording, "-o", page, "--faces", "--source", other_videos / name) == 1
    said = capsys.readouterr().err
    assert said.startswith("dfer report: --source is not what was analyzed: frame ")
    assert reason in said
    assert list(tmp_path.iterdir()) == []


def test_faces_beyond_the_end_of_the_video_are_counted_in_a_remark(recording, other_videos, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert dfer("report", recording, "-o", page, "--faces", "--source", other_videos / "short.mp4") == 0
    sentence = "Faces that are not shown, as there is no picture at their time: "
    assert sentence in capsys.readouterr().err
    assert sentence in page.read_text(encoding="utf-8")


def test_a_folder_of_images_fits_at_the_rate_at_which_it_was_analyzed(clip, tmp_path):
    (tmp_path / "7").mkdir()
    for index, frame in enumerate(clip):
        cv2.imwrite(str(tmp_path / "7" / f"{index}.png"), frame)
    jsonl, page = tmp_path / "images.jsonl", tmp_path / "page.html"
    assert dfer("analyze", tmp_path / "7", "--fps", "10", "--output", jsonl) == 0
    assert dfer("report", jsonl, "-o", page, "--faces", "--source", tmp_path / "7") == 0
    assert "data:image/jpeg;base64," in page.read_text(encoding="utf-8")


def test_a_source_whose_name_is_a_number_is_a_folder_and_no_camera(recording, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").mkdir()
    assert dfer("report", recording, "-o", "page.html", "--faces", "--source", "0") == 1
    assert "There are no images in 0" in capsys.readouterr().err
