"""`dfer compress` from end to end on a tiny encoder, and what it says where it cannot."""

import json
import shutil
from dataclasses import asdict
from functools import partial

import cv2
import numpy as np
import onnx
import pytest
import torch
from rich.console import Console

from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, save_checkpoint
from dfer_ros.training.compression.fine_tuning import FineTuningConfig
from dfer_ros.training.compression.report import JSON_FILE, MARKDOWN_FILE, PLOT_FILE
from dfer_ros.training.compression.source import open_source
from dfer_ros.training.compression.variants import Compression, CompressionConfig
from dfer_ros.training.data.prepared_set import Sample, one_label, write_index
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.surround import SurroundConfig

SURROUND = SurroundConfig(crop=112, ellipse=True)
ENCODER = EncoderConfig("mobilenet_v1", None, widths=(32,) * 12)
QUICK = FineTuningConfig(steps=2, batch_size=4, sizes=(32,), workers=0)


@pytest.fixture(scope="module")
def stills(tmp_path_factory, aligned_crop, serious_crop):
    """A prepared set of two people, dim to bright, half for training and half for validation."""
    folder = tmp_path_factory.mktemp("prepared") / "faces"
    folder.mkdir()
    samples = []
    for index, light in enumerate(np.linspace(0.4, 1.4, 12)):
        for person, crop in ((0, serious_crop), (1, aligned_crop)):
            name = f"{person}_{index}.png"
            cv2.imwrite(str(folder / name), np.clip(crop * light, 0, 255).astype(np.uint8))
            split = "validation" if index % 2 else "train"
            samples.append(Sample(name, split, "", "", 0.0, 1.0, one_label(person)))
    write_index(folder, samples)
    return folder


@pytest.fixture
def trained(tmp_path):
    """The folder of a run with a tiny encoder at random."""
    torch.manual_seed(0)
    folder = tmp_path / "run"
    folder.mkdir()
    model = TrainableEncoder(ENCODER, SURROUND)
    average = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    adjustment = {"logit_adjustment": 0.0, "adjustment": [0.0] * 7}
    state = {"encoder": asdict(ENCODER), "surround": asdict(SURROUND), "average": average, **adjustment}
    save_checkpoint(folder / CHECKPOINT_FILE, state)
    return folder


@pytest.fixture
def compress(run_dfer):
    """A function that runs `dfer compress ARGUMENTS` and returns the exit code and what it said."""
    return partial(run_dfer, "compress")


def test_all_variants_of_a_run(trained, stills, tmp_path):
    output = tmp_path / "output"
    # Whatever INT8 loses is too much here, so that it is fine-tuned.
    config = CompressionConfig(
        calibrations=("minmax",), calibration_crops=8, largest_loss=-101.0, pruned_share=0.25, fine_tuning=QUICK
    )
    variants = Compression(open_source(trained, 64), [stills], output, config, Console(quiet=True)).run()
    by_name = {variant.name: variant for variant in variants}
    assert list(by_name) == ["fp32", "fp16", "int8", "tuned_fp32", "tuned_int8", "pruned_fp32", "pruned_int8"]
    sizes = {name: variant.megabytes for name, variant in by_name.items()}
    assert sizes["fp16"] < 0.6 * sizes["fp32"] and sizes["pruned_fp32"] < 0.95 * sizes["fp32"]
    for name, variant in by_name.items():
        assert variant.milliseconds > 0 and set(variant.accuracy.war) == {"faces"}
        assert (output / variant.file).stat().st_size == round(variant.megabytes * 1e6)
        integers = any(node.op_type == "QuantizeLinear" for node in onnx.load(output / variant.file).graph.node)
        assert integers == name.endswith("int8")
    weights = [_weights(output / by_name[name].file) for name in ("fp32", "tuned_fp32")]
    assert weights[0].shape == weights[1].shape and not np.array_equal(*weights)
    # The runs are whole: the same call has nothing left to train.
    runs = {path: path.stat().st_mtime_ns for path in output.glob("runs/*/checkpoint.pt")}
    assert len(runs) == 3
    again = Compression(open_source(trained, 64), [stills], output, config, Console(quiet=True)).run()
    assert [one.accuracy for one in again] == [one.accuracy for one in variants]
    assert all(path.stat().st_mtime_ns == time for path, time in runs.items() if not path.parent.match("*_start"))


def _weights(path):
    return onnx.numpy_helper.to_array(max(onnx.load(path).graph.initializer, key=lambda one: len(one.raw_data)))


def test_command_on_a_model_folder(compress, model_folder, stills, tmp_path):
    output = tmp_path / "new" / "output"
    code, said = compress("--model", model_folder.path, "--stills", stills, "--output", output, "--calibration",
                          "minmax", "--calibration-crops", 8)  # fmt: skip
    assert code == 0, said
    assert "fp16" in said and "pruned" not in said
    content = json.loads((output / JSON_FILE).read_text())
    assert [variant["name"] for variant in content["variants"]] == ["fp32", "fp16", "int8"]
    assert content["variants"][0]["speed_up"] == 1.0 and content["variants"][0]["accuracy"]["agreement"] == 100.0
    assert content["input_size"] == model_folder.description.input_size
    text = (output / MARKDOWN_FILE).read_text()
    assert "| int8 |" in text and "faces WAR / UAR" in text and "calibrated by minmax" in text
    picture = cv2.imread(str(output / PLOT_FILE))
    assert picture.shape[1] > 1000 and picture.std() > 10
    assert not list(output.glob("*.part*"))


def test_calibration_with_the_best_answers_is_taken(trained, stills, tmp_path):
    config = CompressionConfig(("int8",), ("minmax", "percentile"), 8, largest_loss=101.0)
    variants = Compression(open_source(trained, 64), [stills], tmp_path / "output", config, Console(quiet=True)).run()
    how = variants[-1].how
    tried = {name: float(how.split(f"{name} ")[-1].split(",")[0].rstrip(")")) for name in ("minmax", "percentile")}
    chosen = how.split()[2]
    assert tried[chosen] == max(tried.values()) == pytest.approx(variants[-1].accuracy.mean_war, abs=0.01)


def test_a_model_that_is_not_there_or_damaged(compress, trained, stills, tmp_path):
    rest = ("--stills", stills, "--output", tmp_path / "output")
    code, said = compress("--model", tmp_path / "missing", *rest)
    assert code == 1 and "has neither checkpoint.pt nor model.yaml" in said
    (trained / CHECKPOINT_FILE).write_bytes((trained / CHECKPOINT_FILE).read_bytes()[:5000])
    code, said = compress("--model", trained, *rest)
    assert code == 1 and f"The checkpoint {trained / CHECKPOINT_FILE} cannot be read" in said
    state = {"encoder": {"architecture": "resnet"}, "surround": asdict(SURROUND), "average": {}}
    save_checkpoint(trained / CHECKPOINT_FILE, state)
    code, said = compress("--model", trained / CHECKPOINT_FILE, *rest)
    assert code == 1 and "architecture 'resnet' is not known" in said
    state["encoder"] = asdict(EncoderConfig("efficientnet_lite0", None))
    save_checkpoint(trained / CHECKPOINT_FILE, state)
    code, said = compress("--model", trained, *rest)
    assert code == 1 and "is not of a frame encoder of this version" in said
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("kept", ["train", "validation"])
def test_a_set_without_samples(kept, trained, aligned_crop, tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), aligned_crop)
    write_index(tmp_path, [Sample("face.png", kept, "", "", 0.0, 1.0, one_label(LABELS.index("happy")))])
    missing = {"train": "validation", "validation": "train"}[kept]
    with pytest.raises(DataError, match=rf"No sample of .* is of the split {missing}"):
        Compression(open_source(trained, 64), [tmp_path], tmp_path / "o", CompressionConfig(), Console(quiet=True))


def test_two_sets_of_one_name_are_refused(compress, trained, stills, tmp_path):
    other = shutil.copytree(stills, tmp_path / "elsewhere" / "faces")
    code, said = compress("--model", trained, "--stills", stills, other, "--output", tmp_path / "output")
    assert code == 1 and f"The prepared sets {stills} and {other} have one name" in said
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("argument", "value", "sentence"),
    [
        ("--calibration-crops", "many", "'many' is no whole number of 1 or more"),
        ("--steps", "-1", "'-1' is no whole number of 0 or more"),
        ("--pruned-share", "1", "'1' is no number between 0 and 1"),
    ],
)
def test_an_argument_that_does_not_fit_is_said(compress, argument, value, sentence):
    code, said = compress("--model", "run", "--stills", "set", "--output", "output", argument, value)
    assert code == 2 and sentence in said


def test_an_output_that_cannot_be_written(compress, trained, stills, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, said = compress("--model", trained, "--stills", stills, "--output", tmp_path / "file" / "output")
    assert code == 1 and f"The folder {tmp_path / 'file' / 'output'} cannot be written" in said


def test_only_a_run_can_be_pruned(model_folder, stills, tmp_path):
    with pytest.raises(TrainingError, match=r"Only a run of 'dfer train' can be pruned"):
        source = open_source(model_folder.path, None)
        Compression(source, [stills], tmp_path / "output", CompressionConfig(), Console(quiet=True))
