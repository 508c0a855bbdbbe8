"""Clips of prepared sets in `dfer train`, `dfer evaluate` and `dfer export`, alone and beside clips with a manifest."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from dfer_command import dfer
from made_runs import save_encoder, write_clips, write_stills

from dfer_ros.core.model.folder import PRECISIONS, encoder_file, open_model_folder
from dfer_ros.training.compression.report import JSON_FILE
from dfer_ros.training.head.run import CALIBRATION_FILE, COMPARISON_FILE

SETS = {
    "dfew_1": ([("00001", "train", 1, 6), ("00002", "train", 4, 6), ("00003", "test", 6, 6)], "dfew"),
    "mafw_1": ([("00001", "train", 1, 6), ("00002", "train", 6, 6), ("00003", "test", 4, 6)], "mafw"),
    "posed": ([("S005_001", "train", 4, 6), ("S010_002", "test", 6, 6)], "ck_plus"),
}
HEAD = {
    "kind": "head",
    "encoder": "small",
    "clips": list(SETS),
    "input_size": 32,
    "stills": [{"name": "stills", "count": 14}],
    "training": {"schedule": {"steps": 2, "batch_size": 8, "log_steps": 2, "checkpoint_steps": 2}},
}
CLIP = {
    "kind": "clip",
    "clips": list(SETS),
    "training": {
        "model": {"channels": [4]},
        "window": {"frames": 4, "input_size": 16},
        "schedule": {"steps": 1, "batch_size": 2},
    },
}
COMPARISON = {**HEAD, "kind": "comparison", "heads": ["gru"], "clip_run": "clip"}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with stills, three prepared sets of clips, and the run of an encoder."""
    monkeypatch.chdir(tmp_path)
    write_stills(tmp_path / "prepared" / "stills")
    for name, (clips, data_set) in SETS.items():
        write_clips(tmp_path / "prepared" / name, clips, data_set)
    save_encoder(tmp_path / "runs" / "small")
    return tmp_path


def train(content):
    path = Path(f"{content['kind']}.yaml")
    path.write_text(yaml.safe_dump(content))
    return dfer("train", path)


def sources_of(folder, file=COMPARISON_FILE):
    with (folder / file).open() as rows:
        return {row["source"]: int(row["clips"]) for row in csv.DictReader(rows)}


def test_a_head_is_trained_and_left_out_by_prepared_set(workplace):
    assert train(HEAD) == 0
    output = workplace / "runs" / "head"
    # The training splits; CK+ is called as in other packs, and its sequences are no videos.
    assert sources_of(output) == {"videos": 4, "dfew_1": 2, "mafw_1": 2, "ckplus": 1}
    assert {path.name for path in (output / "left_out").iterdir()} == {"dfew_1", "mafw_1", "ckplus"}
    assert yaml.safe_load((output / CALIBRATION_FILE).read_text())["frames_of_videos"]["ece"] >= 0
    # What is embedded is kept: the sets may be gone.
    for name in SETS:
        shutil.rmtree(workplace / "prepared" / name)
    assert train(HEAD) == 0


def test_a_head_can_be_trained_on_sequences_alone(workplace):
    assert train({**HEAD, "clips": "posed"}) == 0
    assert sources_of(workplace / "runs" / "head") == {"ckplus": 1}
    assert yaml.safe_load((workplace / "runs" / "head" / CALIBRATION_FILE).read_text())["temperature"] == 1.0


def test_the_clips_of_another_configuration_are_not_taken_over(workplace, capsys):
    assert train({**HEAD, "clips": "dfew_1"}) == 0
    assert train(HEAD) == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert "holds the embeddings of clips of dfew_1, not of dfew_1, mafw_1, posed: choose another --name" in said


def test_a_clip_model_and_a_comparison_read_prepared_sets(workplace):
    assert train(CLIP) == 0
    assert sources_of(workplace / "runs" / "clip") == {"videos": 4, "dfew_1": 2, "mafw_1": 2, "ckplus": 1}
    assert train(COMPARISON) == 0
    output = workplace / "runs" / "comparison"
    assert sources_of(output, "comparison.csv") == {"videos": 4, "dfew_1": 2, "mafw_1": 2, "ckplus": 1}
    assert "mafw_1 (2 clips)" in (output / "comparison.md").read_text()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({**HEAD, "clips": "stills"}, "The prepared set prepared/stills holds stills only"),
        ({**CLIP, "clips": ["dfew_1", "stills"]}, "The prepared set prepared/stills holds stills only"),
        ({**COMPARISON, "clips": "gone"}, "There are no prepared clips at prepared/gone"),
        ({**HEAD, "clips": []}, "'clips' names nothing"),
        ({**HEAD, "clips": 3}, "does not fit a configuration of kind 'head'"),
    ],
)
def test_clips_that_cannot_be_used_are_named_in_one_sentence(workplace, capsys, content, sentence):
    assert train(content) == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert sentence in said and "Traceback" not in said


@pytest.fixture
def faces(tmp_path, aligned_crop, serious_crop):
    """A prepared set of clips of two people."""
    clips = [("here/smile", "test", 1, 4), ("there/serious", "test", 0, 4), ("there/kept_for_training", "train", 1, 4)]
    return write_clips(tmp_path / "faces", clips, picture=lambda label, _: aligned_crop if label else serious_crop)


def test_evaluation_reads_the_crops_of_prepared_clips(faces, tmp_path):
    arguments = ("--precision", "int8", "--output", tmp_path / "report")
    assert dfer("evaluate", "--clips", faces, *arguments) == 0
    clips = json.loads((tmp_path / "report" / "metrics.json").read_text())["clips"]
    # The test split, and the crops as they are: no frame is spent on confirming the face.
    assert [(row["name"], row["source"], row["frames"]) for row in clips["rows"]] == [
        ("here/smile", "here", 4),
        ("there/serious", "there", 4),
    ]
    assert set(clips["by_precision"]["int8"]) == {"videos", "here", "there"}
    assert "Crops of prepared sets, encoder, window and head" in (tmp_path / "report" / "report.md").read_text()


def test_a_model_is_compared_with_another_one_in_the_same_run(faces, model_folder, tmp_path):
    shutil.copytree(model_folder.path, tmp_path / "earlier")
    arguments = ("--precision", "int8", "--clips", faces, "--stills", faces, "--output", tmp_path / "report")
    assert dfer("evaluate", "--against", tmp_path / "earlier", *arguments) == 0
    report = (tmp_path / "report" / "report.md").read_text()
    # The same model gains nothing, and nothing can be told.
    assert "| videos | earlier | 2 | +0.0 (+0.0 to +0.0) | +0.0 (+0.0 to +0.0) | cannot be told |" in report
    assert "| faces | earlier | 8 | +0.0 (+0.0 to +0.0) |" in report


def test_export_measures_on_prepared_clips_and_keeps_the_window_of_the_head(faces, model_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("encoders", "head"):
        (tmp_path / folder).mkdir()
    for name in map(encoder_file, PRECISIONS):
        shutil.copy(model_folder.path / name, tmp_path / "encoders" / name)
    description = {"crop": 80, "input_size": 96, "variants": []}
    (tmp_path / "encoders" / JSON_FILE).write_text(json.dumps(description))
    shutil.copy(model_folder.path / "head.onnx", tmp_path / "head" / "head.onnx")
    left_out = {"temperature": 1.1, "window": {"seconds": 1.5, "frames": 20}}
    (tmp_path / "head" / CALIBRATION_FILE).write_text(yaml.safe_dump(left_out))

    arguments = ("export", "--encoders", "encoders", "--head", "head", "--clips", faces, "--stills", faces)
    assert dfer(*arguments, "--output", "model") == 0
    made = open_model_folder("./model").description
    assert (made.window_seconds, made.window_frames, made.temperature) == (1.5, 20, 1.1)
    assert made.metrics["clips"]["there"]["count"] == 1
    assert made.metrics["stills"]["faces"]["int8"]["count"] == 8
    assert made.metrics["left_out_source"] == {"temperature": 1.1}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("encoders/compression.json", "{", "compression.json cannot be read, make it again"),
        ("encoders/compression.json", '{"crop": 80}', "compression.json does not say input_size and variants"),
        ("head/left_out.yaml", "- 1", "left_out.yaml does not say temperature"),
        ("head/left_out.yaml", "{a: " * 20_000, "left_out.yaml cannot be read, make it again: it is nested too deeply"),
    ],
)
def test_export_names_a_damaged_part(faces, model_folder, tmp_path, monkeypatch, capsys, name, content, sentence):
    monkeypatch.chdir(tmp_path)
    for folder in ("encoders", "head"):
        (tmp_path / folder).mkdir()
    for file in map(encoder_file, PRECISIONS):
        (tmp_path / "encoders" / file).symlink_to(model_folder.path / file)
    (tmp_path / "encoders" / JSON_FILE).write_text('{"crop": 80, "input_size": 96, "variants": []}')
    (tmp_path / "head" / "head.onnx").symlink_to(model_folder.path / "head.onnx")
    (tmp_path / "head" / CALIBRATION_FILE).write_text("temperature: 1.1")
    (tmp_path / name).write_text(content)
    assert dfer("export", "--encoders", "encoders", "--head", "head", "--clips", faces, "--output", "model") == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert sentence in said and "Traceback" not in said
    assert not (tmp_path / "model").exists()
