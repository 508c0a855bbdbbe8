"""`dfer analyze` on bags: what is wrong with one is said in a sentence, and nothing half-written is left."""

import json

import pytest
from made_bags import IMAGE_TOPIC, write_clip

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
    assert not list(tmp_path.glob("*.part"))
