"""From data sets to a model that the robot runs, with the commands that a user gives, at toy size."""

import json

import pytest
import yaml

from dfer_ros.cli.main import main
from dfer_ros.core.emotion import PHASE_UNKNOWN
from dfer_ros.core.faces import SeenFace
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.training.checkpoint import load_checkpoint

ENCODER = {
    "kind": "encoder",
    "encoder": {"architecture": "mobilenet_v1", "pretrained": None},
    "data": [{"name": "stills"}],
    "schedule": {
        "steps": 4,
        "batch_size": 4,
        "sizes": [32],
        "warm_up_steps": 1,
        "checkpoint_steps": 2,
        "validation_steps": 4,
    },
    "validation": {"sets": ["stills"], "input_size": 32},
    "workers": 0,
}
STUDENT = {
    **ENCODER,
    "start": "teacher",
    "distillation": {"teachers": [{"run": "teacher", "input_size": 32}]},
    "seed": 1,
}
HEAD = {
    "kind": "head",
    "encoder": "student",
    "clips": "dynamic_clips",
    "input_size": 32,
    "stills": [{"name": "stills", "split": "train", "count": 14}],
    "training": {"schedule": {"steps": 3, "batch_size": 8, "log_steps": 3, "checkpoint_steps": 3}},
}


@pytest.fixture
def dfer(tmp_path, monkeypatch):
    """A function that runs `dfer ...` in an empty folder and returns its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code

    return run


@pytest.mark.timeout(600)
def test_data_train_distil_compress_head_export_evaluate(dfer, made, detector_arguments, tmp_path, aligned_crop):
    stills, _ = made("affectnet7", stills=2)
    clips, _ = made("dynamic_clips")
    for name, content in {"teacher": ENCODER, "student": STUDENT, "head": HEAD}.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))

    assert dfer("data", "prepare", "affectnet7", "--root", stills, "--output", "prepared/stills") == 0
    clips_output = ("--output", "prepared/dynamic_clips", *detector_arguments)
    assert dfer("data", "prepare", "dynamic_clips", "--root", clips, *clips_output) == 0
    assert dfer("train", "teacher.yaml") == 0
    assert dfer("train", "student.yaml") == 0
    assert load_checkpoint(tmp_path / "runs" / "student" / "checkpoint.pt")["step"] == 4
    compressed = "runs/student_compressed"
    arguments = ("--stills", "prepared/stills", "--input-size", 32, "--calibration", "minmax", "--steps", 0)
    assert (
        dfer("compress", "--model", "runs/student", *arguments, "--variants", "fp16", "int8", "--output", compressed)
        == 0
    )
    assert dfer("train", "head.yaml") == 0
    left_out = (tmp_path / "runs" / "head" / "left_out_sources.csv").read_text()
    assert "mead,head,shuffled" in left_out and "ckplus,weighted mean,plain" in left_out

    parts = ("--encoders", compressed, "--head", "runs/head")
    data = ("--clips", "prepared/dynamic_clips", "--stills", "prepared/stills")
    assert dfer("export", *parts, *data, "--output", "toy") == 0
    description = yaml.safe_load((tmp_path / "toy" / "model.yaml").read_text())
    assert description["input_size"] == 32 and description["metrics"]["clips"]["ckplus"]["count"] == 1

    assert dfer("evaluate", "--model", "./toy", "--precision", "int8", *data, "--output", "report") == 0
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert figures and "## Clips" in (tmp_path / "report" / "report.md").read_text()

    recognizer = Recognizer(EmotionModel(EmotionModelConfig("./toy", "int8")))
    emotions = recognizer.update(0.0, [SeenFace("a", aligned_crop, 1.0)])
    assert emotions[0].phase != PHASE_UNKNOWN and 0.0 <= emotions[0].intensity <= 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "gone.yaml"), "There is no training configuration gone.yaml"),
        (("train", "alone.yaml"), "There is no index.csv in prepared/stills"),
        (("train", "orphan.yaml"), "There is no checkpoint runs/student/checkpoint.pt"),
        (
            ("export", "--encoders", ".", "--head", "head", "--clips", ".", "--output", "toy"),
            "dfer compress",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(dfer, tmp_path, capsys, arguments, sentence):
    (tmp_path / "alone.yaml").write_text(yaml.safe_dump(ENCODER))
    (tmp_path / "orphan.yaml").write_text(yaml.safe_dump(HEAD))
    assert dfer(*arguments) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error
    assert not (tmp_path / "toy").exists() and not (tmp_path / "runs").exists()
