"""`dfer analyze` on bags: what is wrong with one is said in a sentence, and nothing half-written is left."""

import csv
import json

import pytest
from made_bags import IMAGE_TOPIC, RAW, TYPES, raw_image, stamp_of, write_clip
from rosbags.rosbag2 import StoragePlugin, Writer

from dfer_ros.cli.analyze_many import SUMMARY_FILE
from dfer_ros.cli.main import main


def analyze(*arguments):
    """Return the exit code of `dfer analyze ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", *map(str, arguments)])
    return ended.value.code


def said(capsys):
    return " ".join(capsys.readouterr().err.split())


def data_file(bag):
    return next(file for file in bag.iterdir() if file.name != "metadata.yaml")


def test_compressed_images_of_a_packed_bag_are_analyzed(clip, tmp_path):
    bag = write_clip(tmp_path / "bag", clip[:12], "mcap, chunk zstd", compressed=True, texts=3)
    assert analyze(bag, "--output", tmp_path / "out.jsonl") == 0
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == list(range(2, 12))


def test_stamps_out_of_order_are_left_out_and_counted(clip, tmp_path, capsys):
    stamps = [100.0 + index / 30 for index in range(20)]
    stamps[10], stamps[11] = stamps[11], stamps[10]
    bag = write_clip(tmp_path / "bag", clip[:20], stamps=stamps)
    assert analyze(bag, "--output", tmp_path / "out.jsonl") == 0
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == [index for index in range(2, 20) if index != 11]
    assert "Images left out, as images with later stamps came before them: 1." in said(capsys)


def test_a_clock_that_went_back_is_named(clip, tmp_path, capsys):
    stamps = [begin + index / 30 for begin in (100.0, 50.0) for index in range(10)]
    bag = write_clip(tmp_path / "bag", clip[:20], stamps=stamps)
    assert analyze(bag, "--output", tmp_path / "out.jsonl") == 0
    assert len({json.loads(line)["face_id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()}) == 2
    assert "Times that the clock of the images went back, so that everybody counts as new: 1." in said(capsys)


def test_images_of_a_clock_that_stands_still_are_answered_by_the_time_of_the_recorder(clip, tmp_path, capsys):
    bag = write_clip(tmp_path / "bag", clip[:20], stamps=[100.0] * 20)
    assert analyze(bag, "--output", tmp_path / "out.jsonl") == 0
    assert (
        "The stamps of the images stand still: 19 of 20 have that of the image before, and the time of the recorder "
        "stands for it."
    ) in said(capsys)
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == list(range(2, 20))
    assert [record["stamp"] for record in records] == pytest.approx(
        [100 + index / 30 for index in range(2, 20)], abs=1e-3
    )


def test_many_recordings_say_what_was_wrong_with_their_images(clip, tmp_path, capsys):
    late = [100.0 + index / 30 for index in range(10)]
    late[5], late[6] = late[6], late[5]
    write_clip(tmp_path / "bags" / "late", clip[:10], stamps=late)
    write_clip(tmp_path / "bags" / "still", clip[:10], stamps=[100.0, 50.0, *[50.1] * 8])
    assert analyze(tmp_path / "bags", "--output-folder", tmp_path / "out") == 0
    text = said(capsys)
    assert "Images left out, as images with later stamps came before them: 1." in text
    assert (
        f"{tmp_path / 'bags' / 'still'}: The stamps of the images repeat: 7 of 10 have that of the image before" in text
    )
    assert "Times that the clock of the images went back, so that everybody counts as new: 1." in text
    assert "The summary says of which recordings." in text
    with (tmp_path / "out" / SUMMARY_FILE).open(newline="") as file:
        rows = [[row[name] for name in ("unreadable", "late", "repeated", "jumps")] for row in csv.DictReader(file)]
    assert rows == [["0", "1", "0", "0"], ["0", "0", "0", "1"]]


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_a_storage_file_alone_is_analyzed(clip, tmp_path, form):
    file = data_file(write_clip(tmp_path / "bag", clip[:5], form))
    assert analyze(file, "--output", tmp_path / "out.jsonl") == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3


def write_depth(path, frames):
    """Write images of an encoding that is not read."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        images = writer.add_connection(IMAGE_TOPIC, RAW, typestore=TYPES)
        for index, frame in enumerate(frames):
            message = raw_image(frame, stamp_of(index))
            message.encoding = "64FC1"
            writer.write(images, stamp_of(index), TYPES.serialize_cdr(message, RAW))
    return path


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (3, "No image of {bag} can be read; the first: Message 0 of /camera/image_raw in the bag {bag}: The image"),
        (0, "There is no image in {bag}"),
    ],
)
def test_a_bag_of_which_no_image_is_read_is_an_error_and_keeps_the_answer_of_before(
    clip, tmp_path, capsys, count, sentence
):
    bag, output = write_depth(tmp_path / "bag", clip[:count]), tmp_path / "out.jsonl"
    output.write_text("before\n")
    assert analyze(bag, "--output", output) == 1
    assert sentence.format(bag=bag) in said(capsys)
    assert output.read_text() == "before\n"


def test_of_many_recordings_one_of_which_no_image_is_read_fails(clip, tmp_path, capsys):
    bag = write_depth(tmp_path / "bag", clip[:2])
    assert analyze(bag, "--output-folder", tmp_path / "out") == 1
    assert "1 recording: 0 analyzed, 1 failed" in capsys.readouterr().out
    assert f"No image of {bag} can be read" in (tmp_path / "out" / SUMMARY_FILE).read_text()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [SUMMARY_FILE]


def test_what_a_killed_recorder_left_is_not_passed_over_under_another_name(clip, tmp_path):
    write_clip(tmp_path / "bags" / "whole", clip[:3])
    killed = write_clip(tmp_path / "bag", clip[:3]).rename(tmp_path / "bags" / "renamed")
    (killed / "metadata.yaml").unlink()
    cut(killed, None)
    assert analyze(tmp_path / "bags", "--output-folder", tmp_path / "out") == 1
    assert f"'dfer record --repair {killed} --output NEW'" in (tmp_path / "out" / SUMMARY_FILE).read_text()


def test_a_whole_file_alone_in_its_folder_is_a_recording(clip, tmp_path):
    bag = write_clip(tmp_path / "downloaded", clip[:3])
    (bag / "metadata.yaml").unlink()
    assert analyze(bag, "--output-folder", tmp_path / "out") == 0
    assert f"{data_file(bag)}," in (tmp_path / "out" / SUMMARY_FILE).read_text()


def cut(bag, _):
    data_file(bag).write_bytes(data_file(bag).read_bytes()[:-1000])


def lose_metadata(bag, _):
    (bag / "metadata.yaml").unlink()


def lose_data(bag, _):
    data_file(bag).unlink()


def spoil_message(bag, _):
    data = data_file(bag).read_bytes()
    data_file(bag).write_bytes(data.replace(b"\x28\xb5\x2f\xfd", b"gone"))


def occupy_output(_, output):
    output.mkdir()


@pytest.mark.parametrize(
    ("spoil", "options", "sentence"),
    [
        (cut, [], "bag cannot be read as a bag: "),
        (lose_metadata, [], "bag has no metadata.yaml: its recorder was killed or is still at work"),
        (lose_data, [], "bag cannot be read as a bag: Some database files are missing"),
        (spoil_message, [], "bag is damaged: "),
        (None, ["--topic", "/front"], f"has no image topic /front: choose one of {IMAGE_TOPIC} with --topic"),
        (occupy_output, [], "out.jsonl is a folder"),
    ],
)
def test_what_is_wrong_with_a_bag_is_said_and_nothing_is_left(clip, tmp_path, capsys, spoil, options, sentence):
    bag, output = write_clip(tmp_path / "bag", clip[:3], "mcap, message zstd"), tmp_path / "out.jsonl"
    if spoil:
        spoil(bag, output)
    assert analyze(bag, "--output", output, *options) == 1
    text = said(capsys)
    assert sentence in text
    assert "Traceback" not in text
    assert not output.is_file()
    assert not list(tmp_path.glob("*.part*"))
