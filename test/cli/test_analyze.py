"""`dfer analyze`: recordings into JSONL and video."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from dfer_command import dfer
from made_answers import KEYS

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.recordings.video_output import VideoOutput


@pytest.fixture(scope="module")
def video(clip, tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with VideoOutput(path, 30.0) as output:
        for frame in clip:
            output.write(frame)
    return path


def test_every_frame_with_a_face_gives_a_line(video, clip, tmp_path):
    output = tmp_path / "out.jsonl"
    assert dfer("analyze", video, "--output", output) == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [record["frame"] for record in records] == list(range(2, len(clip)))
    assert all(list(record) == KEYS for record in records)
    assert all(list(record["probabilities"]) == list(EXPRESSIONS) for record in records)
    assert records[-1]["expression"] == "happy"
    assert records[-1]["stamp"] == pytest.approx((len(clip) - 1) / 30, abs=1e-3)
    assert list(tmp_path.iterdir()) == [output]


def test_twice_gives_the_same_file(video, tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert dfer("analyze", video, "--output", first) == 0
    assert dfer("analyze", video, "--output", second) == 0
    assert first.read_bytes() == second.read_bytes()


def test_the_annotated_video_has_every_frame(video, clip, tmp_path):
    annotated = tmp_path / "annotated.mp4"
    assert dfer("analyze", video, "--output", tmp_path / "out.jsonl", "--video", annotated) == 0
    capture = cv2.VideoCapture(str(annotated))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == len(clip)
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30.0)


def test_the_annotated_video_lasts_as_long_as_one_of_twice_the_frame_rate(clip, tmp_path):
    fast, annotated = tmp_path / "fast.mp4", tmp_path / "annotated.mp4"
    with VideoOutput(fast, 60.0) as output:
        for frame in clip[:30]:
            output.write(frame)
    assert dfer("analyze", fast, "--output", tmp_path / "out.jsonl", "--video", annotated) == 0
    capture = cv2.VideoCapture(str(annotated))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(60.0)
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) in (29, 30)


def test_an_image_that_cannot_be_read_is_counted_and_the_rest_is_analyzed(clip, tmp_path, capsys):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, frame in enumerate(clip[:8]):
        cv2.imwrite(str(folder / f"{index}.png"), frame)
    (folder / "5.png").write_bytes(b"no image")
    output = tmp_path / "out.jsonl"
    assert dfer("analyze", folder, "--output", output) == 0
    assert [json.loads(line)["frame"] for line in output.read_text().splitlines()] == [2, 3, 4, 6, 7]
    said = capsys.readouterr()
    assert "Images left out, as they cannot be read: 1." in said.err
    assert f"The first that cannot be read: The image {folder / '5.png'} cannot be decoded" in said.err
    assert said.out == f"7 frames, 5 faces -> {output}\n"


def test_a_folder_of_which_no_image_can_be_read_is_an_error_and_keeps_the_answer_of_before(tmp_path, capsys):
    folder, output = tmp_path / "frames", tmp_path / "out.jsonl"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"no image")
    output.write_text("before\n")
    assert dfer("analyze", folder, "--output", output) == 1
    assert f"No image of {folder} can be read; the first: The image {folder / '0.png'}" in capsys.readouterr().err
    assert output.read_text() == "before\n"


def test_a_recording_without_a_face_is_a_success(tmp_path, capsys):
    folder, output = tmp_path / "frames", tmp_path / "out.jsonl"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), np.zeros((48, 64, 3), np.uint8))
    assert dfer("analyze", folder, "--output", output) == 0
    assert capsys.readouterr().out == f"1 frame, 0 faces -> {output}\n"


def test_a_folder_of_images_takes_its_rate_from_the_command_line(clip, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, frame in enumerate(clip[:10]):
        cv2.imwrite(str(folder / f"{index}.png"), frame)
    output = tmp_path / "out.jsonl"
    assert dfer("analyze", folder, "--output", output, "--fps", 10) == 0
    assert [json.loads(line)["stamp"] for line in output.read_text().splitlines()] == [n / 10 for n in range(2, 10)]


def test_the_frame_rate_bounds_what_is_processed(video, tmp_path):
    output = tmp_path / "out.jsonl"
    assert dfer("analyze", video, "--output", output, "--frame-rate", 10) == 0
    frames = [json.loads(line)["frame"] for line in output.read_text().splitlines()]
    assert frames == list(range(6, 60, 3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("/nowhere.mp4", "--output", "out.jsonl"),
            "There is no file or folder /nowhere.mp4: give a video, a folder of images or a bag.",
        ),
        ((__file__, "--output", "out.jsonl"), "cannot open"),
        (("{video}", "--output", "/nowhere/out.jsonl"), "/nowhere/out.jsonl cannot be written"),
        (("{video}", "--output", "out.jsonl", "--video", "out.avi"), "must be an .mp4 file"),
        (("{video}", "--output", "out.jsonl", "--model", "/nowhere/model"), "There is no model folder"),
        (("{video}", "--output", "out.jsonl", "--fps", "0"), "must be above 0"),
        (("0", "--output", "out.jsonl"), "for a camera use"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_leaves_nothing(
    video, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    assert dfer("analyze", *(argument.format(video=video) for argument in arguments)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_it_needs_no_ros(video, tmp_path):
    program = (
        "import sys\n"
        "sys.modules.update(rclpy=None, dfer_msgs=None, sensor_msgs=None)\n"
        "from dfer_ros.cli.main import main\n"
        f"main(['analyze', {str(video)!r}, '--output', {str(tmp_path / 'out.jsonl')!r}])\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("command", ["demo", "run", "analyze", "fetch", "bench"])
def test_every_subcommand_explains_itself(command, capsys):
    assert dfer(command, "--help") == 0
    assert f"usage: dfer {command}" in capsys.readouterr().out
