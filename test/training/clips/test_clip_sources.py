"""Where labelled clips come from: what is called a source, which split is taken, and what is refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_runs import striped, write_clips

from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.training.clips.embeddings import embed_clip
from dfer_ros.training.clips.sources import (
    check_clip_paths,
    clip_paths,
    labelled_faces,
    open_training_part,
)
from dfer_ros.training.data.prepared_set import Sample, one_label, open_prepared_set, write_index
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.stills import open_evaluation_split


def sources(folder, open_part=open_training_part):
    return {faces.name: faces.source for faces in labelled_faces([folder], open_part)}


def test_a_prepared_clip_has_its_crops_times_and_label(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3), ("b", "test", 2, 2)])
    first, second = labelled_faces([folder])
    assert (first.name, first.label, first.subject, len(first.crops)) == ("a", 1, "a", 3)
    np.testing.assert_allclose(first.stamps, [0.0, 0.2, 0.4])
    np.testing.assert_allclose(second.quality, [0.9, 0.9])
    assert all((crop == striped(2, frame)).all() for frame, crop in enumerate(second.crops))
    assert (first.crops[1:][0] == first.crops[1]).all() and len(first.crops[:2]) == 2


def test_the_crops_of_a_prepared_clip_are_read_only_when_asked_for(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3)])
    (folder / "a" / "00002.png").unlink()
    (faces,) = labelled_faces([folder])
    assert faces.crops[1].shape == (128, 128, 3)
    with pytest.raises(DataError, match=r"00002\.png is missing"):
        _ = faces.crops[2]


def test_an_encoder_sees_the_crops_of_a_prepared_clip(tmp_path, model_folder):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 11)])
    encoder = EncoderSession(model_folder.path / "encoder_int8.onnx", model_folder.description)
    (faces,) = labelled_faces([folder])
    outputs = encoder.run([striped(1, frame) for frame in range(11)])
    np.testing.assert_allclose(embed_clip(faces, encoder).embeddings, outputs.embeddings, atol=1e-6)


def test_the_source_is_the_set_or_what_the_clip_says(tmp_path):
    assert sources(write_clips(tmp_path / "dfew_3", [("00007", "train", 1, 1)], "dfew")) == {"00007": "dfew_3"}
    mixed = write_clips(tmp_path / "pack", [("mead/a", "test", 1, 1), ("ckplus/b", "test", 2, 1)], "dynamic_clips")
    assert sources(mixed) == {"mead/a": "mead", "ckplus/b": "ckplus"}
    scenes = write_clips(tmp_path / "ferv39k", [("Action/Happy/0010", "train", 1, 1)], "ferv39k")
    assert sources(scenes) == {"Action/Happy/0010": "ferv39k"}


def test_ck_plus_is_one_source_and_a_sequence_whatever_its_folder_is_called(tmp_path):
    folder = write_clips(tmp_path / "posed", [("S005_001", "train", 6, 4)], "ck_plus")
    assert sources(folder) == {"S005_001": "ckplus"}
    assert sources(write_clips(tmp_path / "other", [("S005_001", "train", 6, 4)])) == {"S005_001": "other"}


def test_training_takes_the_training_split_and_evaluation_what_was_kept_from_it(tmp_path):
    clips = [("a", "train", 1, 1), ("b", "validation", 1, 1), ("c", "test", 1, 1)]
    folder = write_clips(tmp_path / "split", clips)
    assert set(sources(folder)) == {"a"}
    assert set(sources(folder, open_evaluation_split)) == {"c"}
    pack = write_clips(tmp_path / "pack", clips[1:])
    assert set(sources(pack)) == {"b", "c"}
    trained_on = write_clips(tmp_path / "trained_on", clips[:1])
    with pytest.raises(DataError, match="has no test or validation split"):
        check_clip_paths([trained_on], open_evaluation_split)


def test_stills_are_passed_over_and_a_set_of_nothing_else_is_refused(tmp_path, aligned_crop):
    folder = write_clips(tmp_path / "both", [("a", "test", 1, 2)])
    cv2.imwrite(str(folder / "still.png"), aligned_crop)
    still = Sample("still.png", "test", "", "", 0.0, 1.0, one_label(1))
    write_index(folder, [still, *open_prepared_set(folder).samples])
    check_clip_paths([folder])
    assert set(sources(folder)) == {"a"}
    write_index(folder, [still])
    with pytest.raises(DataError, match="both holds stills only: give one that was made from clips"):
        check_clip_paths([folder])


def test_a_pack_that_is_not_prepared_is_told_how(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "manifest.csv").write_text("path,label,source,subject,fps\n")
    for place in ("pack", "pack.zip"):
        with pytest.raises(DataError, match=rf"make them with 'dfer data prepare dynamic_clips --root .*{place} "):
            check_clip_paths([tmp_path / place])


def test_micro_expressions_are_no_examples_of_their_label(tmp_path):
    folder = write_clips(tmp_path / "made", [("lab/a", "test", 1, 2), ("lab/b", "test", 2, 2)])
    samples = [
        replace(sample, tags=("micro",) if sample.clip == "lab/b" else ("film",))
        for sample in open_prepared_set(folder).samples
    ]
    write_index(folder, samples)
    assert [(faces.name, faces.kind) for faces in labelled_faces([folder])] == [("lab/a", "film")]
    kinds = {faces.name: faces.kind for faces in labelled_faces([folder], open_evaluation_split)}
    assert kinds == {"lab/a": "film", "lab/b": "micro"}


@pytest.mark.parametrize(
    ("clips", "sentence"),
    [
        (
            [("videos/a", "test", 1, 1)],
            r"The clip videos/a of the prepared set .*made has no source: the source 'videos'",
        ),
        ([("../a", "test", 1, 1)], r"The clip \.\./a .* has no source"),
    ],
)
def test_a_source_that_cannot_be_is_refused(tmp_path, clips, sentence):
    folder = write_clips(tmp_path / "made", clips)
    with pytest.raises(DataError, match=sentence):
        labelled_faces([folder])


def test_frames_out_of_order_are_refused(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3)])
    write_index(folder, reversed(open_prepared_set(folder).samples))
    with pytest.raises(DataError, match=r"The frames of the clip a in .*index\.csv are not in the order of their time"):
        labelled_faces([folder])


def test_two_sets_of_one_name_cannot_be_told_apart(tmp_path):
    one, other = (write_clips(tmp_path / place / "made", [("a", "test", 1, 1)]) for place in "ab")
    with pytest.raises(DataError, match=r"a/made and .*b/made have one name"):
        check_clip_paths([one, other])
    check_clip_paths([one, one])


def test_clips_that_are_missing_or_not_named_are_said(tmp_path):
    with pytest.raises(DataError, match=r"There are no prepared clips at .*gone: give the folder of a set that"):
        check_clip_paths([tmp_path / "gone"])
    with pytest.raises(TrainingError, match="'clips' names nothing"):
        clip_paths((), tmp_path)
    assert clip_paths(("a", "b"), tmp_path) == [tmp_path / "a", tmp_path / "b"]
