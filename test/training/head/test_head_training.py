import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from dfer_ros.core.errors import OutputError, TrainingError
from dfer_ros.core.labels import LABELS, NEUTRAL
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.checkpoint import CHECKPOINT_FILE
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.clips.windows import clip_windows, head_answers
from dfer_ros.training.courses.bank import EmbeddingBank
from dfer_ros.training.courses.config import CoursesConfig
from dfer_ros.training.courses.simulation import CourseSimulator
from dfer_ros.training.head.batches import HeadBatches
from dfer_ros.training.head.create_head import KINDS, HeadConfig
from dfer_ros.training.head.left_out import HEAD, ORDERS, WEIGHTED_MEAN, ablation_tables, loso_table
from dfer_ros.training.head.training import (
    Classifier,
    HeadScheduleConfig,
    HeadTrainingConfig,
    choose_decay,
    train_head,
    weighted_mean,
)
from dfer_ros.training.run import LOG_FILE

SIZE = 10
WINDOW = WindowConfig(2.0, 32)
SCHEDULE = HeadScheduleConfig(steps=6, batch_size=16, log_steps=3, checkpoint_steps=3)
CONFIG = HeadTrainingConfig(head=HeadConfig(width=8), schedule=SCHEDULE)


def directions():
    """Return an embedding [7, D] for each class."""
    return np.eye(7, SIZE, dtype=np.float32)


def encoder():
    return Classifier(6.0 * directions(), np.zeros(7, np.float32), 1.5)


def bank():
    chance = np.random.default_rng(0)
    labels = np.repeat(np.arange(7), 6)
    embeddings = directions()[labels][:, None] + chance.normal(0, 0.15, (len(labels), 6, SIZE))
    return EmbeddingBank(embeddings.astype(np.float32), np.eye(7, dtype=np.float32)[labels], 4, 1)


def made_clip(source, label, seed, frames=30):
    """Return a clip at 25 Hz of a person who turns from neutral to an expression half-way, with noise."""
    chance = np.random.default_rng(seed)
    rise = np.clip((np.arange(frames) - frames * 0.4) / 6, 0, 1)[:, None]
    embeddings = (1 - rise) * directions()[NEUTRAL] + rise * directions()[label] + chance.normal(0, 0.1, (frames, SIZE))
    embeddings = embeddings.astype(np.float32)
    weight, bias, _ = encoder()
    stamps = 3.0 + np.arange(frames) / 25
    quality = chance.uniform(0.4, 1.0, frames).astype(np.float32)
    logits = embeddings @ weight.T + bias
    return ClipEmbeddings(f"{source}{seed}", label, source, source, stamps, quality, embeddings, logits)


def made_clips():
    sources = ("ckplus", "mead", "feid")
    return [made_clip(source, label, 10 * row + label) for row, source in enumerate(sources) for label in (1, 4, 6)]


def same(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items())
    return all(name == again and torch.equal(a, b) for (name, a), (again, b) in pairs)


def test_the_windows_of_a_clip_are_those_of_the_robot():
    clip = made_clip("mead", 1, 0, frames=90)
    windows = clip_windows(clip, WINDOW, of_logits=False)
    window = FrameWindow(WINDOW, SIZE)
    for frame in range(90):
        window.add(clip.stamps[frame], clip.embeddings[frame], clip.quality[frame])
        expected = [np.zeros((32, SIZE), np.float32), np.zeros(32, np.float32), np.zeros(32, np.float32)]
        window.write_to(*expected)
        embeddings, ages, mask = (part[0] for part in windows.inputs(np.array([frame])))
        assert (embeddings[mask > 0] == expected[0][mask > 0]).all()
        assert ages == pytest.approx(expected[1], abs=1e-5)
        assert (mask == expected[2]).all()


def test_the_answers_on_a_clip_are_the_weighted_mean_at_each_frame():
    clip, decay = made_clip("mead", 1, 0, frames=40), 0.4
    (answer,) = head_answers(weighted_mean(decay, 1.5), [clip_windows(clip, WINDOW, of_logits=True)])
    assert answer.probabilities.shape == (40, 7)
    frame = 10
    ages = clip.stamps[frame] - clip.stamps[: frame + 1]
    kept = ages >= 0
    weights = (clip.quality[: frame + 1] * np.exp(-ages / decay))[kept]
    # At 25 Hz a window keeps every second frame, and the newest.
    held = clip_windows(clip, WINDOW, of_logits=True)
    rows = held.rows[frame][held.mask[frame] > 0]
    mean = np.average(clip.logits[rows], axis=0, weights=weights[rows]) / 1.5
    expected = np.exp(mean) / np.exp(mean).sum()
    assert answer.probabilities[frame] == pytest.approx(expected, abs=1e-4)


def test_a_clip_without_a_face_gives_no_answers():
    clip = made_clip("mead", 1, 0)
    empty = replace(clip, **{key: getattr(clip, key)[:0] for key in ("stamps", "quality", "embeddings", "logits")})
    (answer,) = head_answers(weighted_mean(0.4, 1.0), [clip_windows(empty, WINDOW, of_logits=True)])
    assert answer.probabilities.shape == (0, 7)
    assert answer.predicted == -1


def batches(clips, share=0.5, size=64):
    courses = CourseSimulator(bank(), CoursesConfig(), WINDOW)
    return HeadBatches(courses, [clip_windows(clip, WINDOW, of_logits=False) for clip in clips], size, share, 0.1, 0)


def test_a_batch_is_half_courses_half_clips_of_equal_weight():
    clips = [made_clip("mead", 1, 0, frames=10), made_clip("mead", 4, 1, frames=100)]
    batch = batches(clips, size=2000).batch(0)
    assert batch.embeddings.shape == (2000, 32, SIZE)
    assert len(batch.phase) == len(batch.intensity) == 1000
    labels = batch.targets[1000:].argmax(dim=1)
    assert set(labels.tolist()) == {1, 4}
    assert float((labels == 1).float().mean()) == pytest.approx(0.5, abs=0.06)
    assert batch.targets[1000:].max() == pytest.approx(0.9 + 0.1 / 7)
    mask, ages = batch.mask[1000:], batch.ages[1000:]
    there = mask > 0
    assert (there == (torch.arange(32) < there.sum(dim=1, keepdim=True))).all()
    assert (ages[torch.arange(1000), there.sum(dim=1) - 1] == 0).all()


def test_sequences_are_labelled_in_their_last_third_only():
    batch = batches([made_clip("ckplus", 6, 0, frames=30)], size=400).batch(0)
    there = batch.mask[200:] > 0
    newest = batch.embeddings[200:][torch.arange(200), there.sum(dim=1) - 1]
    assert (newest[:, 6] > 0.5).all()
    everywhere = batches([made_clip("mead", 6, 0, frames=30)], size=400).batch(0)
    there = everywhere.mask[200:] > 0
    newest = everywhere.embeddings[200:][torch.arange(200), there.sum(dim=1) - 1]
    assert (newest[:, 6] < 0.5).any()


def test_without_clips_a_batch_is_all_courses():
    batch = batches([]).batch(0)
    assert len(batch.phase) == len(batch.targets) == 64


def test_batches_depend_on_seed_and_step_alone():
    one, other = batches(made_clips()), batches(made_clips())
    one.batch(0)
    assert torch.equal(one.batch(3).embeddings, other.batch(3).embeddings)
    assert not torch.equal(one.batch(3).ages, other.batch(4).ages)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_head_is_trained_and_takes_embeddings(kind):
    head = train_head(replace(CONFIG, head=HeadConfig(kind, 8)), encoder(), bank(), made_clips(), None)
    assert head.weight.shape == (SIZE, 7)
    (answer,) = head_answers(head, [clip_windows(made_clip("mead", 4, 99), WINDOW, of_logits=False)])
    assert answer.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_training_on_courses_teaches_class_intensity_and_phase():
    config = replace(CONFIG, schedule=replace(SCHEDULE, steps=200, batch_size=64, clip_share=0.0))
    windows = CourseSimulator(bank(), CoursesConfig(), WINDOW).draw(500, np.random.default_rng(77))
    inputs = [torch.from_numpy(part) for part in (windows.embeddings, windows.ages, windows.mask)]

    def measure(head):
        with torch.inference_mode():
            output = head(*inputs)
        right = (output.logits.argmax(dim=1).numpy() == windows.targets.argmax(axis=1)).mean()
        off = np.abs(output.intensity.numpy() - windows.intensity).mean()
        return right, off, (output.phase.argmax(dim=1).numpy() == windows.phase).mean()

    before = measure(train_head(replace(config, schedule=replace(SCHEDULE, steps=0)), encoder(), bank(), [], None))
    after = measure(train_head(config, encoder(), bank(), [], None))
    assert after[0] > before[0] + 0.05
    assert after[1] < before[1] - 0.1
    assert after[2] > before[2] + 0.1


def test_a_held_out_source_has_no_part_in_the_training():
    clips = made_clips()
    others = [clip for clip in clips if clip.source != "feid"]
    changed = [*others, made_clip("feid", 2, 500)]
    one = train_head(CONFIG, encoder(), bank(), clips, "feid")
    assert same(one, train_head(CONFIG, encoder(), bank(), changed, "feid"))
    assert not same(one, train_head(CONFIG, encoder(), bank(), clips, "mead"))


def test_a_run_goes_on_from_its_checkpoint_to_the_same_head(tmp_path, monkeypatch):
    whole = train_head(CONFIG, encoder(), bank(), made_clips(), "feid", tmp_path / "whole")
    original = HeadBatches.batch

    def stop_at_4(self, step):
        if step == 4:
            raise KeyboardInterrupt
        return original(self, step)

    monkeypatch.setattr(HeadBatches, "batch", stop_at_4)
    with pytest.raises(KeyboardInterrupt):
        train_head(CONFIG, encoder(), bank(), made_clips(), "feid", tmp_path / "stopped")
    monkeypatch.undo()
    assert same(train_head(CONFIG, encoder(), bank(), made_clips(), "feid", tmp_path / "stopped"), whole)
    stopped, at_once = (read_log(tmp_path / name) for name in ("stopped", "whole"))
    assert stopped == at_once
    assert [row["step"] for row in stopped] == [3, 6]


def read_log(folder):
    with (folder / LOG_FILE).open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_checkpoint_of_another_run_is_an_error(tmp_path):
    train_head(CONFIG, encoder(), bank(), made_clips(), "feid", tmp_path)
    assert (tmp_path / CHECKPOINT_FILE).is_file()
    for other, held_out in ((replace(CONFIG, head=HeadConfig("gru", 8)), "feid"), (CONFIG, "mead")):
        with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another head, configuration or data"):
            train_head(other, encoder(), bank(), made_clips(), held_out, tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"The folder .*file/run cannot be written \(Not a directory\)"):
        train_head(CONFIG, encoder(), bank(), made_clips(), None, tmp_path / "file" / "run")


def test_a_given_adjustment_is_added_to_what_was_learned():
    plain = train_head(CONFIG, encoder(), bank(), made_clips(), None)
    adjusted = train_head(replace(CONFIG, logit_adjustment={"angry": 0.8}), encoder(), bank(), made_clips(), None)
    windows = [clip_windows(made_clip("mead", LABELS.index("disgust"), 99), WINDOW, of_logits=False)]
    before, after = (np.log(head_answers(head, windows)[0].probabilities) for head in (plain, adjusted))
    moved = after - before
    assert moved - moved[:, :1] == pytest.approx(
        np.tile(0.8 * np.eye(7)[LABELS.index("angry")], (len(moved), 1)), abs=1e-3
    )


def test_an_adjustment_of_a_class_that_is_none_or_by_no_number_is_an_error():
    with pytest.raises(TrainingError, match="logit_adjustment names anger: use neutral, happy, sad, angry"):
        HeadTrainingConfig(logit_adjustment={"anger": 0.8})
    with pytest.raises(TrainingError, match="logit_adjustment has a number that is not finite"):
        HeadTrainingConfig(logit_adjustment={"angry": float("nan")})


def test_a_batch_may_be_all_clips():
    schedule = replace(SCHEDULE, clip_share=1.0)
    head = train_head(replace(CONFIG, schedule=schedule), encoder(), bank(), made_clips(), None)
    assert head.weight.shape == (SIZE, 7)


def test_the_decay_is_short_where_the_answer_stands_at_the_end():
    sequences = [made_clip("ckplus", label, label, frames=25) for label in range(1, 7)]
    assert choose_decay(CONFIG, encoder(), sequences) <= 0.2
    assert choose_decay(CONFIG, encoder(), []) == CONFIG.head.decay_seconds


def test_the_table_has_every_source_and_all_videos_in_every_order():
    rows = loso_table(CONFIG, encoder(), bank(), made_clips())
    assert {(row.source, row.head, row.order) for row in rows} == {
        (source, head, order)
        for source in ("videos", "ckplus", "mead", "feid")
        for head in (HEAD, WEIGHTED_MEAN)
        for order in ORDERS
    }
    assert {row.source: row.clips for row in rows} == {"videos": 6, "ckplus": 3, "mead": 3, "feid": 3}
    assert all(0 <= row.war <= 1 and 0 <= row.uar <= 1 and row.loss >= 0 for row in rows)
    plain = {(row.source, row.head): row for row in rows if row.order == "plain"}
    backwards = {(row.source, row.head): row for row in rows if row.order == "reversed"}
    # Played backwards a sequence ends at the neutral face.
    assert plain["ckplus", WEIGHTED_MEAN].war == 1.0
    assert backwards["ckplus", WEIGHTED_MEAN].war < 0.5


def test_an_ablation_leaves_out_one_ingredient_at_a_time(tmp_path):
    tables = ablation_tables(CONFIG, encoder(), bank(), made_clips(), ["speech", "courses"], tmp_path)
    assert list(tables) == ["all", "speech", "courses"]
    losses = {name: [row.loss for row in rows if row.head == HEAD] for name, rows in tables.items()}
    assert losses["all"] != losses["speech"] != losses["courses"]
    assert (tmp_path / "speech" / "ckplus" / CHECKPOINT_FILE).is_file()
