"""Training of a frame encoder, for real and very short: it learns, stops, goes on exactly, distils, and refuses."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console

from dfer_ros.cli.main import main
from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.prepared_set import Sample, one_label, open_prepared_set, write_index
from dfer_ros.training.encoder.augmentation import AugmentationConfig
from dfer_ros.training.encoder.batches import DataConfig, EncoderBatches, drawn_shares
from dfer_ros.training.encoder.config import (
    DistillationConfig,
    EncoderTrainingConfig,
    ScheduleConfig,
    TeacherConfig,
    ValidationConfig,
)
from dfer_ros.training.encoder.frame_encoder import EncoderConfig
from dfer_ros.training.encoder.surround import SurroundConfig, black_surround, fill_surround
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder
from dfer_ros.training.encoder.training import EncoderTask
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.run import CURVES_FILE, LOG_FILE, TrainingRun

TINY = EncoderTrainingConfig(
    data=(DataConfig("faces"),),
    encoder=EncoderConfig(pretrained=None),
    surround=SurroundConfig(crop=96, ellipse=False, fill=1.0),
    schedule=ScheduleConfig(
        steps=6,
        batch_size=6,
        sizes=(32, 48),
        learning_rate=1e-3,
        warm_up_steps=2,
        average=0.5,
        checkpoint_steps=3,
        validation_steps=3,
    ),
    validation=ValidationConfig(("faces",), 32),
    workers=0,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory, aligned_crop, serious_crop):
    """A folder with the prepared set `faces`: a smile is happy, a serious face neutral; half of them black outside."""
    folder = tmp_path_factory.mktemp("data") / "faces"
    folder.mkdir()
    oval = cv2.ellipse(np.zeros((128, 128, 3), np.uint8), (64, 70), (40, 50), 0, 0, 360, (1, 1, 1), -1)
    samples = []
    for index in range(24):
        name, crop = (1, aligned_crop) if index % 2 else (0, serious_crop)
        crop = crop * oval if index % 4 < 2 else crop
        cv2.imwrite(str(folder / f"{index}.png"), np.roll(crop, index % 5, axis=1))
        split = "train" if index < 18 else "validation"
        samples.append(Sample(f"{index}.png", split, "", "", 0.0, 1.0, one_label(name)))
    write_index(folder, samples)
    return folder.parent


def train(config, data, runs, name="run"):
    run = created(config, data, runs, name)
    run.run()
    return run


def created(config, data, runs, name="run"):
    folders, console = TrainingFolders(data, runs, name), Console(quiet=True)
    return TrainingRun(EncoderTask(config, folders, console), folders.output, console)


def test_it_learns_to_tell_two_faces_apart(data, tmp_path):
    schedule = replace(TINY.schedule, steps=40, batch_size=12, mixup=0.0, checkpoint_steps=40, validation_steps=20)
    train(replace(TINY, encoder=EncoderConfig(), schedule=schedule), data, tmp_path)
    encoder = load_trained_encoder(tmp_path / "run", 48)
    faces = open_prepared_set(data / "faces").split("validation")
    logits = encoder.logits([faces.crop(index) for index in range(len(faces.samples))])
    assert logits.shape == (6, len(LABELS))
    assert np.mean(logits.argmax(axis=1) == faces.targets().argmax(axis=1)) > 0.8
    assert (tmp_path / "run" / CURVES_FILE).stat().st_size > 5000
    log = (tmp_path / "run" / LOG_FILE).read_text().splitlines()
    assert log[0].split(",") == ["step", "loss", "faces_war", "faces_uar"] and len(log) == 3


def test_a_stopped_run_goes_on_with_exactly_the_same_result(data, tmp_path, monkeypatch):
    whole = train(TINY, data, tmp_path, "whole")
    seen = []

    def stop_in_step_five(task, batch, step, real=EncoderTask.losses):
        if step == 4:
            raise KeyboardInterrupt
        seen.append(step)
        return real(task, batch, step)

    with monkeypatch.context() as patch:
        patch.setattr(EncoderTask, "losses", stop_in_step_five)
        with pytest.raises(KeyboardInterrupt):
            train(TINY, data, tmp_path, "stopped")
    resumed = train(TINY, data, tmp_path, "stopped")
    assert seen == [0, 1, 2, 3] and resumed.step == whole.step == 6
    for name, tensor in whole.task.model.state_dict().items():
        assert torch.equal(tensor, resumed.task.model.state_dict()[name]), name
    assert (tmp_path / "stopped" / LOG_FILE).read_text() == (tmp_path / "whole" / LOG_FILE).read_text()


def test_a_run_that_is_done_does_nothing_more(data, tmp_path):
    train(TINY, data, tmp_path)
    before = (tmp_path / "run" / "checkpoint.pt").stat().st_mtime_ns
    assert train(TINY, data, tmp_path).step == 6
    assert (tmp_path / "run" / "checkpoint.pt").stat().st_mtime_ns == before


def test_a_student_takes_over_what_its_teacher_says(data, tmp_path):
    train(TINY, data, tmp_path, "teacher")
    teacher = load_trained_encoder(tmp_path / "teacher", 48)
    with torch.no_grad():
        teacher.model.classifier.bias[LABELS.index("sad")] += 50.0
    state = torch.load(tmp_path / "teacher" / "checkpoint.pt", weights_only=True)
    state["average"]["module.classifier.bias"] = teacher.model.classifier.bias.data
    torch.save(state, tmp_path / "teacher" / "checkpoint.pt")

    distillation = DistillationConfig((TeacherConfig("teacher", 48),), weight=1.0)
    schedule = replace(TINY.schedule, steps=12, checkpoint_steps=12)
    train(replace(TINY, distillation=distillation, schedule=schedule), data, tmp_path, "student")
    soft = np.load(next((tmp_path / "student").glob("soft_labels_faces_*.npy")))
    assert soft.shape == (18, 7) and soft[:, LABELS.index("sad")].min() > 0.99
    student = load_trained_encoder(tmp_path / "student", 48)
    assert student.logits([open_prepared_set(data / "faces").crop(0)])[0].argmax() == LABELS.index("sad")


def test_a_batch_depends_on_seed_and_step_alone(data):
    faces = open_prepared_set(data / "faces").split("train")

    def batches(seed):
        return EncoderBatches(
            TINY.data, [faces], [faces.targets()], 6, (32, 48), TINY.surround, AugmentationConfig(), seed
        )

    first, again = batches(0)[5], batches(0)[5]
    assert torch.equal(first.images, again.images) and torch.equal(first.targets, again.targets)
    assert not torch.equal(first.targets, batches(0)[6].targets) or first.images.shape != batches(0)[6].images.shape
    assert {batches(0)[step].images.shape[1] for step in range(12)} == {32, 48}


def test_rare_classes_are_drawn_more_often_where_the_balance_asks_for_it(data):
    faces = open_prepared_set(data / "faces").split("train")
    targets = np.tile(np.array(one_label(0), np.float32), (18, 1))
    targets[0] = one_label(6)
    samples = tuple(replace(sample, target=tuple(row)) for sample, row in zip(faces.samples, targets))
    rare = replace(faces, samples=samples)

    def share(balance):
        batches = EncoderBatches(
            (DataConfig("faces", 1.0, balance),), [rare], [targets], 64, (16,), TINY.surround, AugmentationConfig(), 0
        )
        return batches[0].targets[:, 6].mean().item()

    assert share(0.0) < 0.2 and 0.3 < share(1.0) < 0.7


def test_logit_adjustment_takes_out_how_often_the_classes_were_drawn(data, tmp_path):
    plain, adjusted = ("plain", 0.0), ("adjusted", 1.0)
    for name, strength in (plain, adjusted):
        train(replace(TINY, logit_adjustment=strength), data, tmp_path, name)
    crop = open_prepared_set(data / "faces").crop(0)
    logits = [load_trained_encoder(tmp_path / name, 48).logits([crop])[0] for name in ("plain", "adjusted")]
    shares = drawn_shares(TINY.data, [open_prepared_set(data / "faces").split("train")])
    assert shares[:2] == pytest.approx([0.5, 0.5], abs=0.05) and shares[2:].max() == 0
    assert (logits[1] - logits[0])[:2] == pytest.approx(-np.log(shares[:2]), abs=1e-4)


def test_a_black_surround_is_filled_and_the_face_stays(data):
    faces = open_prepared_set(data / "faces")
    masked, camera = faces.crop(0), faces.crop(2)
    outside = black_surround(masked)
    assert 0.3 < outside.mean() < 0.8 and black_surround(camera) is None
    filled = fill_surround(masked, camera, np.random.default_rng(3))
    assert filled[outside].mean() > 20 and np.array_equal(filled[~outside], masked[~outside])
    assert fill_surround(camera, masked, np.random.default_rng(3)) is camera


def test_a_set_that_is_missing_or_has_nothing_to_train_on_is_named(data, tmp_path):
    with pytest.raises(DataError, match="dfer data prepare"):
        train(replace(TINY, data=(DataConfig("elsewhere"),)), data, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    write_index(other, [Sample("a.png", "test", "", "", 0.0, 1.0, one_label(0))])
    with pytest.raises(DataError, match="no samples in the split 'train'"):
        train(replace(TINY, data=(DataConfig("other"),)), tmp_path, tmp_path)


def test_an_image_that_goes_while_a_loading_process_reads_is_named_in_one_sentence(data, tmp_path):
    copy = shutil.copytree(data, tmp_path / "copy")
    for image in (copy / "faces").glob("*.png"):
        image.unlink()
    with pytest.raises(DataError, match=r"png is missing") as caught:
        train(replace(TINY, validation=ValidationConfig(), workers=1), copy, tmp_path)
    assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value)


def test_an_image_that_has_gone_is_named(data, tmp_path):
    write_index(tmp_path, [Sample("gone.png", "train", "", "", 0.0, 1.0, one_label(0))])
    with pytest.raises(DataError, match=r"gone\.png is missing"):
        open_prepared_set(tmp_path).crop(0)


def test_a_checkpoint_of_another_architecture_or_damaged_is_refused(data, tmp_path):
    train(TINY, data, tmp_path)
    other = replace(TINY, surround=replace(TINY.surround, crop=88))
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is of a run with another surround: choose"):
        train(other, data, tmp_path)
    with pytest.raises(TrainingError, match=r"a run with another schedule and another seed"):
        train(replace(TINY, schedule=replace(TINY.schedule, steps=9), seed=1), data, tmp_path)
    path = tmp_path / "run" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"checkpoint\.pt cannot be read"):
        train(TINY, data, tmp_path)


def test_a_start_of_another_architecture_is_named_in_one_sentence(data, tmp_path):
    train(TINY, data, tmp_path, "lite")
    other = replace(TINY, start="lite", encoder=EncoderConfig("mobilenet_v1", None))
    with pytest.raises(
        TrainingError, match=r"lite to start from has another encoder \(efficientnet_lite0\) than"
    ) as caught:
        train(other, data, tmp_path, "mobile")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mobile").exists()


def test_two_sets_of_one_name_are_refused(data, tmp_path):
    shutil.copytree(data / "faces", tmp_path / "faces")
    other = str(tmp_path / "faces")
    for change in (
        {"validation": ValidationConfig(("faces", other), 32)},
        {"data": (DataConfig("faces"), DataConfig(other))},
    ):
        with pytest.raises(DataError, match=rf"The prepared sets {data / 'faces'} and {other} have one name"):
            train(replace(TINY, **change), data, tmp_path)
    train(replace(TINY, data=(DataConfig("faces"), DataConfig("faces", balance=0.0))), data, tmp_path)


def test_a_run_that_ends_while_it_is_measured_is_measured_again(data, tmp_path, monkeypatch):
    whole = train(TINY, data, tmp_path, "whole")

    def power_cut(task, step, losses, model):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EncoderTask, "measure", power_cut)
        with pytest.raises(KeyboardInterrupt):
            train(TINY, data, tmp_path, "cut")
    train(TINY, data, tmp_path, "cut")
    assert (tmp_path / "cut" / LOG_FILE).read_text() == (tmp_path / "whole" / LOG_FILE).read_text()
    assert whole.step == 6


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../b", "/b", "b/"])
def test_a_run_has_a_plain_name(tmp_path, name, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text("{kind: encoder, data: [{name: faces}]}")
    with pytest.raises(SystemExit) as ended:
        main(["train", "tiny.yaml", "--name", name])
    said = capsys.readouterr().err.replace("\n", " ")
    assert ended.value.code == 1 and "Traceback" not in said
    assert f"A run cannot be named '{name}': give --name a plain name, as of a folder in runs." in said
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_full_disk_leaves_the_checkpoint_before(data, tmp_path, monkeypatch):
    train(TINY, data, tmp_path)
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    run = created(TINY, data, tmp_path)
    with pytest.raises(TrainingError, match="No space left"):
        run.save(tmp_path / "run" / "checkpoint.pt")
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert not list((tmp_path / "run").glob("*.part*"))
