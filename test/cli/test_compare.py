"""`dfer compare`: two runs over one recording, and whether the change may pass."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from dfer_command import dfer

from dfer_ros.recordings.video_output import VideoOutput


@pytest.fixture(scope="module")
def runs(clip, tmp_path_factory):
    """The clip, analyzed by the INT8 and by the FP32 encoder."""
    folder = tmp_path_factory.mktemp("runs")
    with VideoOutput(folder / "clip.mp4", 30.0) as output:
        for frame in clip[:45]:
            output.write(frame)
    for precision in ("int8", "fp32"):
        output = folder / f"{precision}.jsonl"
        assert dfer("analyze", folder / "clip.mp4", "--output", output, "--precision", precision) == 0
    return folder / "int8.jsonl", folder / "fp32.jsonl"


@pytest.fixture
def worse(runs, tmp_path):
    """The first run, but the last nine of its 43 answers are another expression."""
    lines = runs[0].read_text().splitlines()
    path = tmp_path / "worse.jsonl"
    path.write_text("\n".join(lines[:-9] + [line.replace('"happy", "conf', '"sad", "conf') for line in lines[-9:]]))
    return path


def test_a_run_against_itself_agrees(runs, capsys):
    assert dfer("compare", runs[0], runs[0], "--min-agreement", 1, "--max-lost", 0, "--max-probability-shift", 0) == 0
    said = capsys.readouterr().out
    assert "100.0 %" in said
    assert "Within tolerance: label agreement 100 % (at least 100 %); answers lost 0 %" in said


def test_another_precision_stays_within_a_tolerance(runs, capsys):
    tolerances = ("--min-agreement", 0.9, "--max-confidence-shift", 0.1, "--max-valence-shift", 0.1)
    assert dfer("compare", *runs, *tolerances) == 0
    assert "old: int8, new: fp32" in capsys.readouterr().out


def test_beyond_a_tolerance_the_exit_code_is_1_and_the_verdict_names_it(runs, worse, capsys):
    assert dfer("compare", runs[0], worse, "--min-agreement", 0.9, "--max-lost", 0.1) == 1
    said = capsys.readouterr().out
    assert "Beyond tolerance, 1 of 2: label agreement 79.0698 % (at least 90 %)." in said
    assert "where the labels differ" in said


def test_without_a_tolerance_a_difference_is_only_shown(runs, worse, capsys):
    assert dfer("compare", runs[0], worse) == 0
    assert "No tolerance was given" in capsys.readouterr().out


def test_labels_judge_both_sides(runs, worse, tmp_path, capsys):
    labels = tmp_path / "labels.csv"
    labels.write_text("start,end,expression\n0,1.5,happy\n")
    assert dfer("compare", runs[0], worse, "--labels", labels, "--min-accuracy", 0.7, "--max-uar-drop", 0.1) == 1
    said = capsys.readouterr().out
    assert "accuracy (%)" in said
    assert "drop of UAR 20.9302 % (at most 10 %)" in said
    assert "Beyond tolerance, 1 of 2" in said


def test_json_and_plot_are_written(runs, worse, tmp_path):
    record, plot = tmp_path / "compared.json", tmp_path / "compared.png"
    assert dfer("compare", runs[0], worse, "--json", record, "--plot", plot, "--min-agreement", 0.9) == 1
    content = json.loads(record.read_text())
    assert content["agreement"] == pytest.approx(34 / 43, abs=1e-6)
    assert (content["within"], content["answers_compared"]) == (False, 43)
    image = cv2.imread(str(plot))
    assert image.shape[1] >= 1000
    # The old bar is happy to its end, the new one becomes sad: both colours of the palette are there.
    for colour in ("B08800", "2A62A8"):
        bgr = np.array([int(colour[at : at + 2], 16) for at in (4, 2, 0)])
        assert (np.abs(image.astype(int) - bgr).max(axis=2) <= 2).sum() > 500
    assert {path.name for path in tmp_path.iterdir()} == {"worse.jsonl", "compared.json", "compared.png"}


def made(path, lines, change=None):
    records = [json.loads(line) for line in lines]
    for record in records:
        record.update(change(record) if change else {})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_two_recordings_are_refused_with_one_sentence(runs, tmp_path, capsys):
    lines = runs[0].read_text().splitlines()
    later = made(tmp_path / "later.jsonl", lines, lambda record: {"stamp": record["stamp"] + 100})
    elsewhere = made(tmp_path / "elsewhere.jsonl", lines, lambda record: {"roi": [0, 0, 30, 40]})
    for other, reason in ((later, "stamps agree"), (elsewhere, "their faces are in other places")):
        assert dfer("compare", runs[0], other, "--json", tmp_path / "compared.json") == 2
        said = capsys.readouterr()
        assert "are not about the same recording" in said.err
        assert reason in said.err
        assert (said.out, said.err.count("\n")) == ("", 1)
    assert not (tmp_path / "compared.json").exists()


def test_a_few_damaged_lines_are_told_and_the_rest_is_compared(runs, tmp_path, capsys):
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_text(runs[0].read_text() + '{"stamp": 1.0, "fra')
    assert dfer("compare", runs[0], damaged, "--min-agreement", 1) == 0
    assert "damaged: 1 of 44 lines are damaged and were left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{old}", "/nowhere.jsonl"), "/nowhere.jsonl cannot be read"),
        (("{empty}", "{old}"), "empty.jsonl is empty"),
        (("{old}", "{text}"), "None of the 1 lines of"),
        (("{old}", "{folder}"), "is a folder: give a JSONL file"),
        (("{old}", "{old}", "--plot", "plot.svg"), "must be a .png file"),
        (("{old}", "{old}", "--json", "{folder}"), "is a folder: name a file"),
        (("{old}", "{old}", "--json", "/nowhere/compared.json"), "cannot be written"),
        (("{old}", "{old}", "--plot", "/nowhere/plot.png"), "cannot be written"),
        (("{old}", "{old}", "--min-uar", "0.5"), "--min-uar needs --labels"),
        (("{old}", "{old}", "--labels", "{text}"), "must have the columns start, end, expression"),
        (("{old}", "{old}", "--labels", "/nowhere.csv"), "/nowhere.csv cannot be read as CSV"),
        (("{old}", "{old}", "--labels", "/nowhere.csv"), "(No such file or directory)"),
        (("{old}", "{old}", "--json", "{old}"), "which is read: choose another file"),
        (("{old}", "{old}", "--labels", "{text}", "--json", "{text}"), "which is read: choose another file"),
        (("{old}", "{old}", "--json", "one.png", "--plot", "one.png"), "must be two files"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence_and_leaves_nothing(
    runs, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "text.txt").write_text("hello\n")
    (tmp_path / "folder").mkdir()
    places = {"old": runs[0], "empty": "empty.jsonl", "text": "text.txt", "folder": "folder"}
    assert dfer("compare", *(argument.format(**places) for argument in arguments)) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("dfer compare: ")
    assert said.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"empty.jsonl", "text.txt", "folder"}


@pytest.mark.parametrize(
    "tolerance",
    [
        ("--min-agreement", "1.5"),
        ("--min-agreement", "often"),
        ("--max-flips", "-1"),
        ("--max-flips", "nan"),
        ("--max",),
    ],
)
def test_a_tolerance_that_makes_no_sense_is_a_usage_error(runs, capsys, tolerance):
    assert dfer("compare", runs[0], runs[0], *tolerance) == 2
    said = capsys.readouterr().err
    assert "usage: dfer compare" in said
    assert "invalid _" not in said


def test_ids_that_no_font_can_show_are_drawn_without_a_warning(runs, tmp_path):
    named = made(tmp_path / "named.jsonl", runs[0].read_text().splitlines(), lambda _: {"face_id": "\u5c0f\u660e"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dfer("compare", named, named, "--plot", tmp_path / "plot.png") == 0


@pytest.mark.parametrize(("reader", "code", "sentence"), [("full", 3, "No space left on device"), ("gone", 141, "")])
def test_a_verdict_that_nobody_can_read_is_neither_within_nor_beyond(runs, reader, code, sentence):
    command = [sys.executable, "-m", "dfer_ros.cli.main", "compare", *map(str, runs), "--min-agreement", "1"]
    read, write = os.pipe()
    os.close(read)
    with Path("/dev/full").open("w") as full:
        output = full if reader == "full" else write
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert done.returncode == code
    assert sentence in done.stderr
    assert done.stderr.count("\n") == (1 if sentence else 0)
