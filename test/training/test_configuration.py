"""Training configurations: what a YAML file may say, and how it is told what it may not."""

from pathlib import Path

import pytest
import yaml

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.configuration import read_configuration

CHECKOUT = Path(__file__).resolve().parents[2]
SMALLEST = {
    "encoder": {"data": [{"name": "faces"}]},
    "head": {"encoder": "small", "clips": "clips.zip", "stills": [{"name": "faces"}]},
    "clip": {"clips": "clips.zip"},
    "comparison": {"encoder": "small", "clips": "clips.zip", "stills": [{"name": "faces"}]},
}


def read(tmp_path, kind, change):
    path = tmp_path / "made.yaml"
    path.write_text(yaml.safe_dump({"kind": kind, **SMALLEST.get(kind, {}), **change}))
    return path, lambda: read_configuration(path)


@pytest.mark.parametrize("kind", SMALLEST)
def test_the_least_that_must_be_said_is_enough(tmp_path, kind):
    _, configuration = read(tmp_path, kind, {})
    assert configuration()


@pytest.mark.parametrize("kind", ["head", "clip", "comparison"])
def test_clips_are_one_name_or_several(tmp_path, kind):
    assert read(tmp_path, kind, {})[1]().clips == "clips.zip"
    assert read(tmp_path, kind, {"clips": ["clips.zip", "dfew"]})[1]().clips == ("clips.zip", "dfew")


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("enkoder", {}, "kind is 'enkoder', but must be one of encoder"),
        ("encoder", {"schedule": {"stepps": 3}}, "has keys that are not known, correct them or take them out: stepps"),
        ("encoder", {"schedule": {"steps": "many"}}, "steps"),
        ("encoder", {"data": 3}, "one value where a list is asked for"),
        ("encoder", {"data": []}, "at least one set"),
        ("encoder", {"data": [{"name": "faces", "share": 0}]}, "The set faces needs a share above 0"),
        ("encoder", {"schedule": {"validation_steps": 0}}, "all of them 1 or more"),
        ("encoder", {"schedule": {"label_smoothing": 1.0}}, "a label_smoothing of 0 to below 1"),
        ("encoder", {"seed": -1}, "seed and workers must be 0 or more"),
        ("encoder", {"distillation": {"temperature": 0}}, "a temperature above 0"),
        ("encoder", {"encoder": {"architecture": "vit"}, "schedule": {"sizes": [90]}}, "multiples of 16"),
        ("head", {"training": {"schedule": {"log_steps": 0}}}, "log_steps and checkpoint_steps of 1 or more"),
        ("head", {"training": {"schedule": {"clip_share": 2}}}, "a clip_share of 0 to 1"),
        ("head", {"training": {"window_frames": 0}}, "window_frames of 1 or more"),
        ("head", {"training": {"courses": {"neutral_share": 2}}}, "a neutral_share and a named_intensity of 0 to 1"),
        ("head", {"stills": []}, "needs stills"),
        ("head", {"stills": [{"name": "a", "split": "val"}]}, "a split of train, validation, test"),
        ("comparison", {"frame_rate": 0}, "a frame_rate above 0"),
        ("comparison", {"heads": ["lstm"]}, "The head 'lstm' is not known"),
        ("clip", {"clips": 3}, "does not fit a configuration of kind 'clip'"),
        ("clip", {"frame_rate": 0}, "a frame_rate above 0"),
        ("clip", {"training": {"stride": 0}}, "a stride above 0"),
        ("clip", {"training": {"schedule": {"batch_size": 0}}}, "batch_size, log_steps"),
        ("clip", {"training": {"window": {"crop": 200}}}, "a crop of 1 to 128"),
        ("clip", {"training": {"model": {"channels": []}}}, "A 3D CNN needs channels"),
    ],
)
def test_what_does_not_fit_is_named_in_one_sentence(tmp_path, kind, change, sentence):
    path, configuration = read(tmp_path, kind, change)
    with pytest.raises(TrainingError, match=sentence) as caught:
        configuration()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "sentence"), [(None, "There is no"), ("- 1", "not a mapping"), ("{", "YAML")])
def test_a_configuration_that_cannot_be_read_is_named(tmp_path, text, sentence):
    path = tmp_path / "wrong.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TrainingError, match=sentence):
        read_configuration(path)


@pytest.mark.parametrize("path", sorted((CHECKOUT / "config" / "training").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configurations_that_are_shipped_fit(path):
    assert read_configuration(path)


def test_the_documentation_says_which_stills_the_shipped_head_has_seen():
    stills = read_configuration(CHECKOUT / "config" / "training" / "head.yaml").stills
    assert {(one.name, one.split) for one in stills} == {("ferplus", "validation"), ("affectnet7", "validation")}
    counts = " and ".join(f"{one.count:,}" for one in stills)
    text = " ".join((CHECKOUT / "docs" / "training.md").read_text(encoding="utf-8").split())
    assert f"made of the **validation** stills of FER+ and AffectNet ({counts} of them)" in text
    assert "are those of the **encoder alone**" in text
