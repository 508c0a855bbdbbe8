"""Frames of clips for the encoder: which are chosen, what they are told to be, and that no laboratory leads."""

import numpy as np
import pytest
from made_runs import save_encoder, striped, write_clips

from dfer_ros.cli.main import main
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.clips.frames import UNLABELLED, FramesConfig, choose_frames, write_clip_frames
from dfer_ros.training.data.prepared_set import one_label, open_prepared_set
from dfer_ros.training.encoder.session import EncoderOutputs
from dfer_ros.training.encoder.training import training_samples

HAPPY, NEUTRAL = LABELS.index("happy"), LABELS.index("neutral")


def rising(frames=20):
    """Probabilities [F, 7] that go from neutral to happy, and stamps at 10 Hz."""
    happy = np.linspace(0.05, 0.9, frames, dtype=np.float32)
    rows = np.full((frames, 7), 0.01, np.float32)
    rows[:, HAPPY], rows[:, NEUTRAL] = happy, 0.95 - happy
    return rows, np.arange(frames) / 10


def test_the_label_is_given_to_the_surest_frames_apart_in_time_and_neutral_to_the_calm_ones():
    rows, stamps = rising()
    chosen = choose_frames(rows, stamps, HAPPY, "lab", False, FramesConfig(apex=3, quiet=2, unlabelled=2, apart=0.2))
    apex = [row for row, target, told in chosen if told and target == one_label(HAPPY)]
    quiet = [row for row, target, told in chosen if told and target == one_label(NEUTRAL)]
    assert apex == [19, 17, 15] and quiet == [0, 2]
    rest = [(row, target) for row, target, told in chosen if not told]
    assert len(rest) == 2 and not {row for row, _ in rest} & {*apex, *quiet}


def test_an_unlabelled_frame_is_what_was_said_in_the_breath_around_it():
    rows, stamps = rising()
    rows[::2] = rows[::2, ::-1]  # the mouth speaks: every other frame says something else
    config = FramesConfig(apex=0, quiet=0, unlabelled=20, breath=0.4)
    targets = {row: np.array(target) for row, target, _ in choose_frames(rows, stamps, HAPPY, "lab", False, config)}
    np.testing.assert_allclose(targets[10], rows[8:13].mean(axis=0), atol=1e-6)
    alone = FramesConfig(apex=0, quiet=0, unlabelled=20, breath=0.0)
    targets = {row: np.array(target) for row, target, _ in choose_frames(rows, stamps, HAPPY, "lab", False, alone)}
    np.testing.assert_allclose(targets[10], rows[10], atol=1e-6)


def test_a_neutral_clip_is_neutral_and_a_micro_expression_has_no_label():
    rows, stamps = rising()
    chosen = choose_frames(rows, stamps, NEUTRAL, "lab", False, FramesConfig())
    assert {target for _, target, told in chosen if told} == {one_label(NEUTRAL)}
    micro = choose_frames(rows, stamps, HAPPY, "lab", True, FramesConfig())
    assert micro and not any(told for _, _, told in micro)


def test_a_sequence_is_neutral_at_its_start_and_its_label_at_its_end():
    rows, stamps = rising(6)
    chosen = choose_frames(rows, stamps, HAPPY, "ckplus", False, FramesConfig())
    told = {row: target for row, target, labelled in chosen if labelled}
    assert told == {4: one_label(HAPPY), 5: one_label(HAPPY), 0: one_label(NEUTRAL)}
    (alone,) = choose_frames(rows[:1], stamps[:1], HAPPY, "ckplus", False, FramesConfig())
    assert alone[:2] == (0, one_label(HAPPY))


class Unsure:
    """An encoder that says the same of every crop."""

    def run(self, crops):
        return EncoderOutputs(np.zeros((len(crops), 4), np.float32), np.zeros((len(crops), 7), np.float32))


def test_no_source_gives_more_than_some_clips_of_a_class(tmp_path):
    clips = [(f"{source}/{number}", "test", 1, 4) for source in ("lab", "web") for number in range(3)]
    prepared = open_prepared_set(write_clips(tmp_path / "clips", clips))
    (tmp_path / "frames").mkdir()
    samples = write_clip_frames([prepared], Unsure(), FramesConfig(clips=2), tmp_path / "frames")
    assert {sample.image.split("/")[2] for sample in samples} == {"0", "1"}
    written = open_prepared_set(tmp_path / "frames")
    assert [sample.image for sample in written.samples] == [sample.image for sample in samples]
    np.testing.assert_allclose(written.targets(), [sample.target for sample in samples], atol=1e-3)
    assert {sample.split for sample in samples} == {"train"} and {sample.clip for sample in samples} == {""}
    first = samples[0]
    assert (written.crop(0) == striped(1, int(first.image.split("/")[-1].split(".")[0]))).all()


def test_sources_and_what_has_no_label_can_be_left_out_of_training(tmp_path):
    prepared = open_prepared_set(write_clips(tmp_path / "clips", [("lab/a", "test", 1, 9), ("web/b", "test", 2, 9)]))
    (tmp_path / "frames").mkdir()
    write_clip_frames([prepared], Unsure(), FramesConfig(apex=1), tmp_path / "frames")
    tags = {sample.tags for sample in training_samples(tmp_path / "frames", ("lab",)).samples}
    assert tags == {("web",), ("web", UNLABELLED)}
    told = training_samples(tmp_path / "frames", (UNLABELLED,)).samples
    assert {sample.tags for sample in told} == {("lab",), ("web",)}


def test_the_command_makes_a_set_to_train_on(tmp_path, capsys):
    write_clips(tmp_path / "clips", [("lab/a", "test", 1, 5), ("lab/b", "test", 2, 5)])
    save_encoder(tmp_path / "run")
    arguments = ["--encoder", str(tmp_path / "run"), "--input-size", "32", "--output", str(tmp_path / "frames")]
    with pytest.raises(SystemExit) as ended:
        main(["data", "frames", str(tmp_path / "clips"), *arguments])
    assert ended.value.code == 0
    assert "frames of 2 clips" in capsys.readouterr().out
    assert {sample.tags[0] for sample in open_prepared_set(tmp_path / "frames").samples} == {"lab"}


@pytest.mark.parametrize("values", [{"apex": -1}, {"clips": 0}, {"calm": 1.5}, {"breath": -0.1}])
def test_counts_that_cannot_be_are_refused(values):
    with pytest.raises(TrainingError, match="Frames of clips need"):
        FramesConfig(**values)
