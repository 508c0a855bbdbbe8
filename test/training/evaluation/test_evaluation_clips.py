import cv2
import numpy as np
import pytest

from dfer_ros.core.errors import DataError, OutputError
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.window import WindowConfig
from dfer_ros.recordings.analysis import Analysis
from dfer_ros.recordings.video import open_source
from dfer_ros.training.clips.embeddings import (
    ClipEmbeddings,
    embed_clip,
    load_clip_embeddings,
    save_clip_embeddings,
)
from dfer_ros.training.clips.sources import labelled_faces
from dfer_ros.training.data.dynamic_clips import DYNAMIC_CLIPS
from dfer_ros.training.data.preparation import prepare
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, answer_clip, answers_and_labels, groups
from dfer_ros.training.evaluation.clips import left_out_calibration
from dfer_ros.training.evaluation.left_out import ANSWERS_FILE, answers_without_source, save_answers
from dfer_ros.training.evaluation.window_replay import (
    WeightedMean,
    frozen,
    on_frame_logits,
    replay,
    replayed_answers,
    reversed_in_time,
    shuffled,
)

HEADER = "path,label,source,subject,fps\n"


@pytest.fixture(scope="module")
def encoder(model_folder):
    return EncoderSession(model_folder.path / encoder_file("int8"), model_folder.description)


@pytest.fixture(scope="module")
def clips_folder(clip, tmp_path_factory):
    """One labelled clip: the frames of the demo as a folder of images."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "person").mkdir()
    for index, frame in enumerate(clip[:10]):
        cv2.imwrite(str(folder / "person" / f"{index}.png"), frame)
    (folder / "manifest.csv").write_text(f"{HEADER}person,happy,made,astronaut,25\n")
    return folder


def made_clip(frames=9, source="made", seed=0):
    chance = np.random.default_rng(seed)
    return ClipEmbeddings(
        name=f"clip {seed}",
        label=seed % 7,
        source=source,
        subject="somebody",
        stamps=np.cumsum(chance.uniform(0.02, 0.1, frames)),
        quality=chance.uniform(0.3, 1.0, frames).astype(np.float32),
        embeddings=chance.normal(size=(frames, 5)).astype(np.float32),
        logits=chance.normal(size=(frames, 7)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def faces(clips_folder, detector, tmp_path_factory):
    """The same clip as a prepared set has it."""
    output = tmp_path_factory.mktemp("prepared") / "made"
    prepare(DYNAMIC_CLIPS.recordings(clips_folder), output, {}, lambda: detector, lambda _done: None)
    (faces,) = labelled_faces([output])
    return faces


def test_a_prepared_clip_is_answered_as_the_core_analyses_it(clips_folder, faces, detector, recognizer):
    answer = answer_clip(faces, recognizer)
    recognizer.reset()
    source = open_source(str(clips_folder / "person"), 25.0)
    analyzed = Analysis(source, FacePipeline(detector, TrackerConfig(confirm_frames=1)), recognizer, 1000.0)
    expected = [emotion.probabilities for frame in analyzed for emotion in frame.emotions]
    assert len(expected) == 10
    # The crops were a JPEG file in between.
    np.testing.assert_allclose(answer.probabilities, expected, atol=0.05)


def test_kept_embeddings_replay_what_the_core_answers(faces, encoder, recognizer, model_folder):
    description = model_folder.description
    head = TemporalHead(model_folder, encoder.embedding_size, SessionConfig())
    (replayed,) = replayed_answers(
        [embed_clip(faces, encoder)],
        lambda windows: head.answer(windows).logits,
        WindowConfig(description.window_seconds, description.window_frames),
        description.temperature,
    )
    np.testing.assert_allclose(replayed.probabilities, answer_clip(faces, recognizer).probabilities, atol=1e-5)


def test_the_weighted_mean_weighs_by_quality_and_age():
    clip = made_clip(9, seed=0)
    (rows,) = replay([on_frame_logits(clip)], WeightedMean(0.8), WindowConfig(2.0, 1000))
    ages = clip.stamps[-1] - clip.stamps
    weights = clip.quality * np.exp(-ages / 0.8)
    expected = (weights[:, None] * clip.logits).sum(axis=0) / weights.sum()
    assert ages.max() < 2.0 and len({round(float(weight), 6) for weight in weights}) == 9
    np.testing.assert_allclose(rows[-1], expected, atol=1e-5)


def test_embeddings_survive_their_file(tmp_path):
    clips = [made_clip(9, seed=0), made_clip(0, seed=1), made_clip(3, "ckplus", seed=2)]
    path = tmp_path / "clips.npz"
    save_clip_embeddings(path, clips)
    for saved, loaded in zip(clips, load_clip_embeddings(path), strict=True):
        for key in ClipEmbeddings.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(saved, key), getattr(loaded, key))
    assert [clip.sequence for clip in clips] == [False, False, True]
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_or_missing_file_of_embeddings_is_said(tmp_path):
    path = tmp_path / "clips.npz"
    with pytest.raises(DataError, match="There is no file"):
        load_clip_embeddings(path)
    save_clip_embeddings(path, [made_clip()])
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"clips\.npz is not a file of embeddings of clips"):
        load_clip_embeddings(path)
    with pytest.raises(OutputError, match="cannot be written"):
        save_clip_embeddings(tmp_path / "missing" / "clips.npz", [made_clip()])


def test_embeddings_of_other_clips_are_not_taken_for_those_of_these(tmp_path):
    path = tmp_path / "clips.npz"
    save_clip_embeddings(path, [made_clip()], "one.zip")
    assert len(load_clip_embeddings(path, "one.zip")) == 1
    with pytest.raises(DataError, match=r"clips\.npz holds the embeddings of clips of one\.zip, not of other"):
        load_clip_embeddings(path, "other.zip")
    # Files of older versions do not say what they were made from.
    save_clip_embeddings(path, [made_clip()])
    assert len(load_clip_embeddings(path, "other.zip")) == 1


def mean_of_all(windows):
    """A head that ignores order and age altogether."""
    rows = []
    for window in windows:
        embeddings, ages, mask = np.zeros((len(window), 5), np.float32), np.zeros(len(window)), np.zeros(len(window))
        window.write_to(embeddings, ages, mask)
        rows.append(np.average(embeddings, axis=0, weights=mask) @ np.ones((5, 7)) * np.arange(7))
    return np.stack(rows)


def test_shuffling_and_reversing_change_nothing_at_the_end_for_a_head_that_ignores_order():
    clip, window = made_clip(20), WindowConfig(10.0, 32)
    # Quality travels with its frame; frames of one spacing are all kept by the window.
    clip = ClipEmbeddings(**{**vars(clip), "stamps": np.arange(20) / 3.0})
    (recorded,) = replay([clip], mean_of_all, window)
    for changed in (shuffled(clip, 1), shuffled(clip, 2), reversed_in_time(clip)):
        (logits,) = replay([changed], mean_of_all, window)
        np.testing.assert_allclose(logits[-1], recorded[-1], atol=1e-4)
    assert not np.allclose(replay([shuffled(clip, 1)], mean_of_all, window)[0][0], recorded[0])


def test_shuffling_changes_what_a_head_answers_that_uses_time():
    clip, window = on_frame_logits(made_clip(20)), WindowConfig(2.0, 32)
    (recorded,) = replay([clip], WeightedMean(0.3), window)
    (changed,) = replay([shuffled(clip, 1)], WeightedMean(0.3), window)
    assert np.abs(recorded[-1] - changed[-1]).max() > 0.1


def test_shuffles_repeat_with_their_seed_and_keep_frames_whole():
    clip = made_clip(20)
    one, same, other = shuffled(clip, 1), shuffled(clip, 1), shuffled(clip, 2)
    np.testing.assert_array_equal(one.embeddings, same.embeddings)
    assert not np.array_equal(one.embeddings, other.embeddings)
    np.testing.assert_array_equal(one.stamps, clip.stamps)
    for number in range(20):
        origin = int(np.flatnonzero((clip.embeddings == one.embeddings[number]).all(axis=1))[0])
        assert one.quality[number] == clip.quality[origin]
        np.testing.assert_array_equal(one.logits[number], clip.logits[origin])


def test_backwards_the_gaps_are_backwards_too():
    clip = made_clip(6)
    backwards = reversed_in_time(clip)
    np.testing.assert_array_equal(backwards.logits, clip.logits[::-1])
    np.testing.assert_allclose(np.diff(backwards.stamps), np.diff(clip.stamps)[::-1])
    assert backwards.stamps[0] == pytest.approx(clip.stamps[0])
    assert len(reversed_in_time(made_clip(0))) == 0


def test_a_frozen_clip_repeats_its_middle_frame():
    clip = made_clip(9)
    still = frozen(clip)
    np.testing.assert_array_equal(still.embeddings, np.repeat(clip.embeddings[4:5], 9, axis=0))
    np.testing.assert_array_equal(still.stamps, clip.stamps)
    (logits,) = replay([on_frame_logits(still)], WeightedMean(0.8), WindowConfig(2.0, 32))
    np.testing.assert_allclose(logits, np.repeat(clip.logits[4:5], 9, axis=0), atol=1e-5)
    assert len(frozen(made_clip(0))) == 0


def test_together_clips_give_what_they_give_alone():
    clips = [on_frame_logits(made_clip(frames, seed=frames)) for frames in (12, 1, 5)]
    window = WindowConfig(0.5, 8)
    for clip, together in zip(clips, replay(clips, WeightedMean(0.4), window), strict=True):
        np.testing.assert_array_equal(together, replay([clip], WeightedMean(0.4), window)[0])


def test_a_video_is_answered_by_its_mean_and_a_sequence_by_its_end():
    rows = np.array([np.eye(7)[0], np.eye(7)[0], np.eye(7)[3]], dtype=np.float32)
    video, sequence = ClipAnswer("v", 0, "made", rows), ClipAnswer("s", 3, "ckplus", rows)
    unseen = ClipAnswer("u", 0, "made", rows[:0])
    assert (video.predicted, sequence.predicted, unseen.predicted) == (0, 3, -1)
    predicted, labels = answers_and_labels([video, sequence, unseen])
    assert (predicted.tolist(), labels.tolist()) == ([0, 3, -1], [0, 3, 0])
    assert {name: len(group) for name, group in groups([video, sequence, unseen]).items()} == {
        "videos": 2,
        "made": 2,
        "ckplus": 1,
    }


def test_the_temperature_of_a_source_left_out_comes_from_the_others():
    chance = np.random.default_rng(0)

    def clips_of(source, sharpness):
        """Return clips of one frame whose labels are drawn by probabilities that are then made sharper."""
        made = []
        for number in range(400):
            logits = chance.normal(0, 1.5, 7)
            drawn = np.exp(logits) / np.exp(logits).sum()
            sharp = np.exp(sharpness * logits) / np.exp(sharpness * logits).sum()
            label = int(chance.choice(7, p=drawn))
            made.append(ClipAnswer(f"{source} {number}", label, source, sharp[None].astype(np.float32)))
        return made

    boastful, honest = clips_of("boastful", 3.0), clips_of("honest", 1.0)
    result = left_out_calibration([*boastful, *honest], 1.0)
    assert result.temperatures == pytest.approx({"boastful": 1.0, "honest": 3.0}, rel=0.2)
    # Each gets the other's temperature, so that neither is calibrated afterwards.
    assert result.frames.ece > 0.1
    assert left_out_calibration(honest, 1.0) is None


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (None, "does not look like dynamic_clips"),
        ("path,label\nperson,happy\n", "has no column source, subject, fps"),
        (HEADER, "names no clip"),
        (f"{HEADER}person,bored,made,a,25\n", "line 2: the label 'bored' is none of"),
        (f"{HEADER}person,happy,made,a,0\n", "line 2: fps must be above 0"),
        (f"{HEADER}person,happy,made,a,fast\n", "line 2: fps is 'fast', which is not a number"),
        (f"{HEADER}person,happy\n", "line 2: the path or the source is missing"),
        (f"{HEADER}person,happy,videos,a,25\n", "line 2: the source 'videos' must be a name without slashes, and not"),
        (f"{HEADER}person,happy,../a,a,25\n", "line 2: the source '../a' must be a name without slashes"),
        (f"\ufeff{HEADER}person,happy,made,a,0\n", "line 2: fps must be above 0"),
        ("path,label,source,subject,fps,kind\np,happy,made,a,25,by heart\n", "line 2: the kind 'by heart' must be one"),
    ],
)
def test_clips_of_another_layout_are_refused_in_a_sentence(tmp_path, manifest, sentence):
    (tmp_path / "person").mkdir()
    if manifest is not None:
        (tmp_path / "manifest.csv").write_text(manifest)
    with pytest.raises(DataError, match=sentence):
        DYNAMIC_CLIPS.recordings(tmp_path)


def test_micro_expressions_are_no_videos_and_kinds_are_groups():
    rows = np.eye(7, dtype=np.float32)[:1]
    answers = [ClipAnswer("a", 0, "lab", rows, "film"), ClipAnswer("b", 1, "lab", rows, "micro")]
    assert {name: len(group) for name, group in groups(answers).items()} == {
        "videos": 1,
        "lab": 2,
        "kind film": 1,
        "kind micro": 1,
    }


def test_answers_with_the_source_left_out_come_with_a_model(tmp_path):
    rows = np.array([[0.5, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0], [0.1, 0.6, 0.3, 0.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    given = [ClipAnswer("a", 0, "lab", rows, "film"), ClipAnswer("b", 1, "other", rows[:1])]
    assert answers_without_source(tmp_path, given, 1.0) == []
    save_answers(tmp_path / ANSWERS_FILE, given)
    kept = answers_without_source(tmp_path, [given[1], given[0]], 1.0)
    assert [(one.name, one.label, one.source, one.kind) for one in kept] == [
        ("b", 1, "other", ""),
        ("a", 0, "lab", "film"),
    ]
    np.testing.assert_allclose(kept[1].probabilities, rows, atol=1e-3)
    softer = answers_without_source(tmp_path, given, 2.0)[0].probabilities
    assert softer[1].argmax() == 1 and softer[1].max() < 0.5
    # One clip that was not answered, and all are of the model itself.
    assert answers_without_source(tmp_path, [*given, ClipAnswer("c", 1, "lab", rows)], 1.0) == []
    micro = ClipAnswer("d", 1, "lab", rows, "micro")
    assert len(answers_without_source(tmp_path, [*given, micro], 1.0)) == 2
