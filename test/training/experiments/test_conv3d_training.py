import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from made_runs import write_clips
from rich.console import Console

from dfer_ros.cli.main import main
from dfer_ros.core.errors import TrainingError
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.prepared_set import Sample, one_label, write_index
from dfer_ros.training.encoder.augmentation import central_part
from dfer_ros.training.encoder.trained_encoder import MEAN, STD
from dfer_ros.training.experiments.conv3d.batches import (
    Conv3dBatches,
    Conv3dWindowConfig,
    answered_frames,
    clip_tensor,
    window_images,
    window_rows,
)
from dfer_ros.training.experiments.conv3d.network import Conv3d, Conv3dConfig
from dfer_ros.training.experiments.conv3d.run import (
    Conv3dRunConfig,
    check_folds,
    conv3d_cost,
    conv3d_rows,
    read_conv3d_run,
)
from dfer_ros.training.experiments.conv3d.stills import inflate
from dfer_ros.training.experiments.conv3d.training import (
    Conv3dScheduleConfig,
    Conv3dTrainingConfig,
    conv3d_answers,
    train_conv3d,
)
from dfer_ros.training.run import LOG_FILE

CONFIG_FOLDER = Path(__file__).parents[3] / "config" / "training"
WINDOW = Conv3dWindowConfig(seconds=1.0, frames=5, crop=88, input_size=16)
SCHEDULE = Conv3dScheduleConfig(steps=6, batch_size=6, log_steps=3, checkpoint_steps=3)
CONFIG = Conv3dTrainingConfig(Conv3dConfig((4, 8), 0.3), WINDOW, schedule=SCHEDULE)


def made_clip(source, label, seed=0, frames=20, rate=10.0):
    """Return a clip of stripes, the broader the higher the label, with noise."""
    chance = np.random.default_rng([seed, label, *source.encode()])
    stripes = np.uint8(150) * (np.arange(128) // (8 * label + 1) % 2).astype(np.uint8)[:, None, None]
    crops = [chance.integers(0, 100, (128, 128, 3)).astype(np.uint8) + stripes for _ in range(frames)]
    stamps = 2.0 + np.arange(frames) / rate
    return ClipFaces(f"{source}{label}", label, source, source, tuple(crops), stamps, np.full(frames, 0.8, np.float32))


def made_clips():
    return [made_clip(source, label) for source in ("ckplus", "mead", "feid") for label in (1, 4, 6)]


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values())
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_window_holds_the_frames_of_even_moments():
    stamps = 5.0 + np.arange(30) / 10
    assert window_rows(stamps, 20, replace(WINDOW, frames=6)).tolist() == [10, 12, 14, 16, 18, 20]
    # At twice the rate of the clip every frame is there twice.
    assert window_rows(stamps, 20, replace(WINDOW, frames=21)).tolist() == [*np.repeat(np.arange(10, 20), 2), 20]


def test_before_its_first_frame_a_clip_stands_still():
    stamps = np.array([1.0, 1.2, 1.4, 1.6])
    assert window_rows(stamps, 2, WINDOW).tolist() == [0, 0, 0, 0, 2]
    assert window_rows(stamps, 0, WINDOW).tolist() == [0] * 5


def test_the_windows_of_an_answer_go_over_the_whole_clip():
    stamps = np.arange(31) / 10
    assert answered_frames(stamps, 0.5, WINDOW).tolist() == [10, 15, 20, 25, 30]
    assert answered_frames(stamps[:28], 0.5, WINDOW).tolist() == [10, 15, 20, 25, 27]
    assert answered_frames(stamps[:6], 0.5, WINDOW).tolist() == [5]
    assert answered_frames(stamps[:0], 0.5, WINDOW).tolist() == []


def test_a_clip_model_sees_what_the_encoder_sees():
    clip = made_clip("mead", 1)
    images = window_images(clip, 12, WINDOW)
    rows = window_rows(clip.stamps, 12, WINDOW)
    assert (images == np.stack([central_part(clip.crops[row], 88, 16) for row in rows])).all()
    tensor = clip_tensor(images[None], torch.device("cpu"))
    assert tensor.shape == (1, 3, 5, 16, 16)
    red = (images[3, 2, 7, 2] / 255 - MEAN[0]) / STD[0]
    assert float(tensor[0, 0, 3, 2, 7]) == pytest.approx(red, abs=1e-5)


def test_all_frames_of_a_window_are_augmented_alike():
    clip = made_clip("mead", 3)
    still = replace(clip, crops=(clip.crops[0],) * len(clip.crops))
    windows, _ = Conv3dBatches([still], WINDOW, CONFIG.augmentation, 20, 0).batch(0)
    assert (windows == windows[:, :1]).all()
    assert len({window.tobytes() for window in windows}) == 20


def test_batches_are_balanced_and_depend_on_seed_and_step_alone():
    clips = [*(made_clip("mead", 1, seed) for seed in range(5)), made_clip("mead", 5)]

    def batches():
        return Conv3dBatches(clips, WINDOW, CONFIG.augmentation, 300, 7)

    one, other = batches(), batches()
    one.batch(0)
    windows, labels = one.batch(4)
    again, labels_again = other.batch(4)
    assert (windows == again).all() and (labels == labels_again).all()
    assert (labels != other.batch(5)[1]).any()
    assert (labels == 5).mean() == pytest.approx(0.5, abs=0.1)


def test_a_sequence_is_learned_from_its_last_third():
    clip = made_clip("ckplus", 2, frames=30)
    dark = tuple(np.full_like(crop, 255 if number >= 20 else 0) for number, crop in enumerate(clip.crops))
    plain = replace(CONFIG.augmentation, exposure=0.0, colour=0.0)
    windows, _ = Conv3dBatches([replace(clip, crops=dark)], WINDOW, plain, 50, 0).batch(0)
    middle = windows[..., 8, 8, 0]
    assert (middle[:, -1] == 255).all() and (middle[:, 0] == 0).any()


def test_it_learns_and_answers(tmp_path):
    in_the_same_light = replace(CONFIG.augmentation, exposure=0.0, colour=0.0, grey=0.0)
    schedule = replace(SCHEDULE, steps=40, learning_rate=1e-2, log_steps=40, checkpoint_steps=40)
    config = replace(CONFIG, model=Conv3dConfig((8, 16)), augmentation=in_the_same_light, schedule=schedule)
    model = train_conv3d(config, made_clips(), (), tmp_path)
    answers = conv3d_answers(config, model, made_clips())
    assert [len(answer.probabilities) for answer in answers] == [3] * 9
    assert all(answer.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-5) for answer in answers)
    assert np.mean([answer.predicted == answer.label for answer in answers]) == 1.0


def test_a_clip_without_a_face_is_a_wrong_answer(tmp_path):
    empty = replace(made_clip("mead", 1), crops=(), stamps=np.zeros(0), quality=np.zeros(0, np.float32))
    model = train_conv3d(CONFIG, [*made_clips(), empty], (), tmp_path)
    (answer,) = conv3d_answers(CONFIG, model, [empty])
    assert answer.predicted == -1
    with pytest.raises(TrainingError, match="No clip with a face is left to train on"):
        train_conv3d(CONFIG, [empty, made_clip("feid", 2)], ("feid",), tmp_path)


def test_a_held_out_source_has_no_part_in_the_training(tmp_path):
    changed = [*(clip for clip in made_clips() if clip.source != "feid"), made_clip("feid", 2)]
    one = train_conv3d(CONFIG, made_clips(), ("feid",), tmp_path / "one")
    assert same(one, train_conv3d(CONFIG, changed, ("feid",), tmp_path / "two"))
    assert not same(one, train_conv3d(CONFIG, made_clips(), ("mead",), tmp_path / "three"))


def test_a_run_goes_on_from_its_checkpoint_to_the_same_model(tmp_path, monkeypatch):
    whole = train_conv3d(CONFIG, made_clips(), ("feid",), tmp_path / "whole")
    original = Conv3dBatches.batch

    def stop_at_4(self, step):
        if step == 4:
            raise KeyboardInterrupt
        return original(self, step)

    monkeypatch.setattr(Conv3dBatches, "batch", stop_at_4)
    with pytest.raises(KeyboardInterrupt):
        train_conv3d(CONFIG, made_clips(), ("feid",), tmp_path / "stopped")
    monkeypatch.undo()
    assert load_checkpoint(tmp_path / "stopped" / CHECKPOINT_FILE)["step"] == 3
    assert same(train_conv3d(CONFIG, made_clips(), ("feid",), tmp_path / "stopped"), whole)
    logs = [(tmp_path / name / LOG_FILE).read_text() for name in ("stopped", "whole")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == 3


def test_a_checkpoint_of_another_run_is_an_error(tmp_path):
    train_conv3d(CONFIG, made_clips(), ("feid",), tmp_path)
    for other, held_out in ((replace(CONFIG, seed=1), ("feid",)), (CONFIG, ("mead",))):
        with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another clip model, configuration or data"):
            train_conv3d(other, made_clips(), held_out, tmp_path)


def test_the_table_has_every_source_and_all_videos(tmp_path):
    rows = conv3d_rows(CONFIG, made_clips(), (), tmp_path, Console(quiet=True))
    assert {row.source: row.clips for row in rows} == {"videos": 6, "ckplus": 3, "mead": 3, "feid": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ckplus", "feid", "mead"]


def test_sources_of_a_fold_are_left_out_together(tmp_path):
    quiet = Console(quiet=True)
    rows = conv3d_rows(CONFIG, made_clips(), (("mead", "feid"), ("ckplus",)), tmp_path, quiet)
    assert {row.source: row.clips for row in rows} == {"videos": 6, "ckplus": 3, "mead": 3, "feid": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ckplus", "mead+feid"]


def test_folds_that_do_not_name_every_source_once_are_refused():
    folds = (("mead", "feid"), ("feid", "nobody"))
    with pytest.raises(TrainingError, match="name each source once; of ckplus, feid, nobody they do not"):
        check_folds(folds, made_clips())
    check_folds((("mead", "feid"), ("ckplus",)), made_clips())
    check_folds((), made_clips())


def test_the_folds_of_the_3d_cnn_are_those_of_the_shipped_head():
    head, conv3d = (yaml.safe_load((CONFIG_FOLDER / name).read_text()) for name in ("head.yaml", "conv3d.yaml"))
    assert conv3d["folds"] == [fold["sources"] for fold in head["folds"]]


def test_the_cost_is_of_every_frame_and_of_every_stride():
    config = Conv3dRunConfig("clips", training=replace(CONFIG, stride=0.25), frame_rate=20.0)
    cost = conv3d_cost(config)
    # Two convolutions in each stage; frames and pixels are halved as the stages say.
    first = 5 * 8 * 8 * 4 * (27 * 3 + 27 * 4)
    second = 3 * 4 * 4 * 8 * (27 * 4 + 27 * 8)
    assert cost.window == first + second + 8 * 7
    assert cost.every_frame == 20 * cost.window
    assert cost.every_stride == 4 * cost.window


def test_a_face_that_keeps_still_gives_an_inflated_model_what_it_gave_alone():
    torch.manual_seed(0)
    model = Conv3d(Conv3dConfig((4, 8))).eval()
    still = torch.randn(1, 3, 1, 16, 16)
    with torch.inference_mode():
        alone = model.stages(still)[:, :, 0]
        before = model.stages(still.expand(-1, -1, 25, -1, -1))[:, :, 6]
        inflate(model)
        # The middle of a clip, where no kernel reaches its ends.
        after = model.stages(still.expand(-1, -1, 25, -1, -1))[:, :, 6]
    assert torch.allclose(after, alone, atol=1e-5) and not torch.allclose(before, alone, atol=1e-2)


def test_a_model_begins_with_the_weights_that_it_is_given(tmp_path):
    config = replace(CONFIG, schedule=replace(SCHEDULE, steps=0))
    start = Conv3d(CONFIG.model).state_dict()
    begun = train_conv3d(config, made_clips(), (), tmp_path / "begun", start=start)
    assert all(torch.equal(value, start[name]) for name, value in begun.state_dict().items())
    train_conv3d(CONFIG, made_clips(), (), tmp_path / "one", start=start)
    other = {name: value * 2 for name, value in start.items()}
    with pytest.raises(TrainingError, match="is of another clip model"):
        train_conv3d(CONFIG, made_clips(), (), tmp_path / "one", start=other)


def test_dfer_train_leaves_figures_and_cost(tmp_path, monkeypatch, capsys, aligned_crop):
    clips = [("mead/a", "test", 1, 5), ("feid/b", "test", 5, 5), ("ckplus/c", "test", 6, 5)]
    root = write_clips(tmp_path / "data" / "clips", clips)
    content = {
        "kind": "clip",
        "clips": root.name,
        "stills": {"data": [{"name": "stills"}], "input_size": 16, "schedule": {"steps": 2, "batch_size": 4}},
        "training": {
            "model": {"channels": [4, 8]},
            "window": {"frames": 4, "input_size": 16},
            "schedule": {"steps": 2, "batch_size": 2, "log_steps": 1, "checkpoint_steps": 1},
        },
    }
    stills = root.parent / "stills"
    stills.mkdir()
    assert cv2.imwrite(str(stills / "face.png"), aligned_crop)
    write_index(stills, [Sample("face.png", "train", "", "", 0.0, 1.0, one_label(label)) for label in range(7)])
    (tmp_path / "conv3d.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)

    def train():
        with pytest.raises(SystemExit) as ended:
            main(["train", "conv3d.yaml", "--data", str(root.parent)])
        return ended.value.code

    assert train() == 0
    rows, cost = read_conv3d_run(tmp_path / "runs" / "conv3d")
    assert {row.source: row.clips for row in rows} == {"videos": 2, "mead": 1, "feid": 1, "ckplus": 1}
    assert cost.every_frame == 30 * cost.window == 30 * cost.every_stride
    assert f"{cost.window / 1e6:,.0f} million multiply-adds a window" in capsys.readouterr().out
    with (tmp_path / "runs" / "conv3d" / "left_out" / "mead" / LOG_FILE).open() as file:
        assert [float(row["step"]) for row in csv.DictReader(file)] == [1, 2]
    (tmp_path / "runs" / "conv3d" / "cost.csv").write_text("parameters\nmany\n")
    with pytest.raises(TrainingError, match=r"cost\.csv cannot be read .*: train again"):
        read_conv3d_run(tmp_path / "runs" / "conv3d")
