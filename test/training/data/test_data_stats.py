"""`dfer data stats` and `dfer data list`: what is in prepared sets, and which data sets there are."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import PreparedSet, Sample, one_label, open_prepared_set, write_index
from dfer_ros.training.data.registry import DATASETS
from dfer_ros.training.data.statistics import source_statistics, split_statistics

HALF_SAD = (0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0)
SAMPLES = (
    Sample("a.png", "train", "anna", "", 0.0, 1.0, HALF_SAD),
    Sample("b.png", "train", "bert", "", 0.0, 0.5, one_label(1)),
    Sample("c/0.png", "test", "carl", "c", 0.0, 0.4, one_label(3)),
    Sample("c/1.png", "test", "carl", "c", 0.1, 0.6, one_label(3)),
    Sample("d/0.png", "test", "dora", "d", 0.0, 1.0, one_label(6)),
)


@pytest.fixture
def prepared(tmp_path):
    """A prepared set with a crop of another grey for each sample."""
    folder = tmp_path / "made_set"
    for number, sample in enumerate(SAMPLES):
        (folder / sample.image).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / sample.image), np.full((128, 128, 3), 20 + 40 * number, np.uint8))
    write_index(folder, SAMPLES)
    return folder


def test_clips_and_stills_people_and_votes_are_counted(prepared):
    train, test = split_statistics(open_prepared_set(prepared))
    assert (train.split, test.split) == ("train", "test")
    assert train.classes == (1, 1, 0, 0, 0, 0, 0)
    assert test.classes == (0, 0, 0, 1, 0, 0, 1)
    assert (train.clips, train.crops, train.subjects) == (0, 2, 2)
    assert (test.clips, test.crops, test.subjects) == (2, 3, 2)
    assert (train.vote_entropy, test.vote_entropy) == (pytest.approx(0.5), 0.0)
    assert (train.quality, test.quality) == (pytest.approx(0.75), pytest.approx(2 / 3))


def test_the_table_has_a_row_for_each_split(prepared, dfer_data):
    code, said = dfer_data("stats", prepared)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert rows == [
        ["made_set", "train", "1", "1", "0", "0", "0", "0", "0", "2", "-", "2", "2", "0.75", "0.50"],
        ["", "test", "0", "0", "0", "1", "0", "0", "1", "2", "2", "3", "2", "0.67", "-"],
    ]


def test_a_set_without_tags_is_read_as_before(prepared):
    index = prepared / "index.csv"
    lines = [line.rsplit(",", 1)[0] for line in index.read_text().splitlines()]
    index.write_text("\n".join(lines) + "\n")
    assert open_prepared_set(prepared).samples == SAMPLES


def test_what_each_source_gives_is_counted(tmp_path, dfer_data):
    samples = [
        Sample("a.png", "test", "", "lab/a", 0.0, 1.0, one_label(1), ("film",)),
        Sample("b.png", "test", "", "lab/a", 0.1, 1.0, one_label(1), ("film",)),
        Sample("c.png", "test", "", "web/c", 0.0, 1.0, one_label(2)),
    ]
    (tmp_path / "made_set").mkdir()
    write_index(tmp_path / "made_set", samples)
    prepared = open_prepared_set(tmp_path / "made_set")
    assert source_statistics(prepared) == {"lab film": (0, 1, 0, 0, 0, 0, 0), "web": (0, 0, 1, 0, 0, 0, 0)}
    code, said = dfer_data("stats", prepared.folder)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert rows[-2:] == [["lab film", "-", "1", "-", "-", "-", "-", "-", "1"], ["web", "-", "-", "1", *["-"] * 4, "1"]]


def test_a_set_of_one_source_needs_no_table_of_sources(prepared):
    assert source_statistics(open_prepared_set(prepared)) == {}


def test_the_picture_has_bars_and_the_crops_of_each_class(prepared, dfer_data, tmp_path):
    code, _ = dfer_data("stats", prepared, "--output", tmp_path / "stats.png")
    assert code == 0
    image = cv2.imread(str(tmp_path / "stats.png"))
    assert image.shape[1] > 1000
    blue_bars = (image == (170, 119, 68)).all(axis=2).sum()
    assert blue_bars > 1000
    crops = image[:, image.shape[1] // 2 :]
    for grey in (20, 60, 100, 180):
        assert (np.abs(crops.astype(int) - grey).max(axis=2) <= 1).sum() > 500
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{set}/nowhere",), "There is no index.csv in"),
        (("{set}", "--output", "{set}/stats.jpg"), "is no .png file"),
        (("{set}", "--output", "{set}/nowhere/stats.png"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(prepared, dfer_data, arguments, sentence):
    code, said = dfer_data("stats", *(argument.format(set=prepared) for argument in arguments))
    assert (code, "Traceback" in said) == (1, False)
    assert sentence in said


def test_an_empty_set_is_said_to_be_empty(tmp_path, dfer_data):
    write_index(tmp_path, ())
    code, said = dfer_data("stats", tmp_path)
    assert (code, "has no samples" in said) == (1, True)


def test_a_crop_that_is_gone_is_named(prepared, dfer_data, tmp_path):
    (prepared / "b.png").unlink()
    code, said = dfer_data("stats", prepared, "--output", tmp_path / "stats.png")
    assert (code, "b.png is missing" in said) == (1, True)
    assert not (tmp_path / "stats.png").exists()


def test_the_list_says_where_to_ask_and_what_is_there(made, dfer_data):
    root, expected = made("kdef")
    code, said = dfer_data("list", "--root", root)
    assert code == 0
    rows = {line.split("│")[1].strip(): line for line in said.splitlines() if line.startswith("│")}
    assert set(DATASETS) <= set(rows)
    assert f"yes: {len(expected)}" in rows["kdef"]
    assert "no" in rows["dfew"].split("│")[-2]
    assert "https://dfew-dataset.github.io/" in rows["dfew"]
    code, said = dfer_data("list", "--root", root / "nowhere")
    assert (code, "There is no" in said) == (1, True)


def test_a_set_is_written_and_read_without_loss(tmp_path):
    write_index(tmp_path, SAMPLES)
    assert open_prepared_set(tmp_path) == PreparedSet(tmp_path, SAMPLES)
    assert open_prepared_set(tmp_path).targets().shape == (len(SAMPLES), len(LABELS))
    assert [path.name for path in tmp_path.iterdir()] == ["index.csv"]


def test_two_sets_of_one_name_are_refused(prepared, tmp_path, dfer_data):
    other = shutil.copytree(prepared, tmp_path / "elsewhere" / "made_set")
    code, said = dfer_data("stats", prepared, other)
    assert (code, f"The prepared sets {prepared} and {other} have one name" in said) == (1, True)
    assert dfer_data("stats", prepared, prepared)[0] == 0


def test_a_set_is_called_as_its_folder_from_inside_it_too(prepared, monkeypatch):
    (prepared.parent / "link").symlink_to(prepared)
    monkeypatch.chdir(prepared)
    assert open_prepared_set(Path()).name == "made_set"
    assert open_prepared_set(Path("..") / "link").name == "link"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a.png,train,,,0,1,inf,0,0,0,0,0,0,", "negative, all zero or no numbers"),
        ("a.png,train,,,0,1,1,0,0", "line 2: 9 values instead of 14"),
        ("a.png,learn,,,0,1,1,0,0,0,0,0,0,", "line 2: the split 'learn' is none of train"),
        ("a.png,train,,,0,1,0,0,0,0,0,0,0,", "all zero"),
        ("a.png,train,,,0,1,x,0,0,0,0,0,0,", "line 2: could not convert"),
    ],
)
def test_a_damaged_index_is_named(prepared, dfer_data, line, sentence):
    index = prepared / "index.csv"
    index.write_text(index.read_text().splitlines()[0] + "\n" + line + "\n")
    code, said = dfer_data("stats", prepared)
    assert code == 1
    assert sentence in said
    index.write_text("image,label\n")
    assert "does not begin with the columns" in dfer_data("stats", prepared)[1]
    index.write_bytes(b"\xff\xfe\x00")
    code, said = dfer_data("stats", prepared)
    assert (code, "index.csv is damaged: prepare the set again" in said) == (1, True)
