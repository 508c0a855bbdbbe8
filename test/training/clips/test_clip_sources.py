"""Where labelled clips come from: what is called a source, which split is taken, and what is refused."""

import zipfile

import cv2
import numpy as np
import pytest
from dfer_ros.training.clips.crops import FACES_FILE, kept_faces, load_faces
from made_runs import striped, write_clips

from dfer_ros.core.errors import DataError, SourceError, TrainingError
from dfer_ros.training.clips.embeddings import embed_clip
from dfer_ros.training.clips.sources import (
    check_clip_paths,
    clip_paths,
    detector_for,
    labelled_faces,
    open_training_part,
    prepared_faces,
)
from dfer_ros.training.data.prepared_set import Sample, one_label, open_prepared_set, write_index
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.stills import open_evaluation_split


def sources(folder, open_part=open_training_part):
    return {faces.name: faces.source for faces in prepared_faces([folder], open_part)}


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as pack:
        for file in folder.rglob("*.*"):
            pack.write(file, file.relative_to(folder))
    return path


@pytest.fixture
def videos(clip, tmp_path):
    """A folder with one labelled clip: frames of the demo."""
    folder = tmp_path / "videos"
    (folder / "12").mkdir(parents=True)
    for index, frame in enumerate(clip[:6]):
        assert cv2.imwrite(str(folder / "12" / f"{index}.jpg"), frame)
    (folder / "manifest.csv").write_text("path,label,source,subject,fps\n12,happy,here,astronaut,25\n")
    return folder


def test_a_prepared_clip_has_its_crops_times_and_label(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3), ("b", "test", 2, 2)])
    first, second = prepared_faces([folder])
    assert (first.name, first.label, first.subject, len(first.crops)) == ("a", 1, "a", 3)
    np.testing.assert_allclose(first.stamps, [0.0, 0.2, 0.4])
    np.testing.assert_allclose(second.quality, [0.9, 0.9])
    assert all((crop == striped(2, frame)).all() for frame, crop in enumerate(second.crops))
    assert (first.crops[1:][0] == first.crops[1]).all() and len(first.crops[:2]) == 2


def test_the_crops_of_a_prepared_clip_are_read_only_when_asked_for(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3)])
    (folder / "a" / "00002.png").unlink()
    (faces,) = prepared_faces([folder])
    assert faces.crops[1].shape == (128, 128, 3)
    with pytest.raises(DataError, match=r"00002\.png is missing"):
        _ = faces.crops[2]


def test_an_encoder_sees_the_crops_of_a_prepared_clip(tmp_path, model_folder):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 11)])
    encoder = EncoderSession(model_folder.path / "encoder_int8.onnx", model_folder.description)
    (faces,) = labelled_faces([folder], None)
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


def test_videos_and_prepared_sets_go_together(tmp_path, videos, detector):
    prepared = write_clips(tmp_path / "made", [("a", "test", 2, 2)])
    assert detector_for([prepared]) is None and detector_for([prepared, videos]) is not None
    faces = list(labelled_faces([prepared, videos], detector))
    assert [(one.name, one.source, len(one.crops)) for one in faces] == [("12", "here", 4), ("a", "made", 2)]


def test_faces_of_videos_are_kept_and_those_of_prepared_sets_are_where_they_are(tmp_path, videos):
    prepared, kept = write_clips(tmp_path / "made", [("a", "test", 2, 2)]), tmp_path / FACES_FILE
    first = kept_faces([prepared, videos], kept)
    assert [one.name for one in load_faces(kept)] == ["12"]
    videos.rename(tmp_path / "gone")
    again = kept_faces([prepared, videos], kept)
    assert [one.name for one in again] == [one.name for one in first] == ["12", "a"]
    with pytest.raises(DataError, match=r"faces\.npz holds the faces of clips of videos, not of others"):
        kept_faces([tmp_path / "others"], kept)
    assert [one.name for one in kept_faces([prepared], tmp_path / "no_file.npz")] == ["a"]
    assert not (tmp_path / "no_file.npz").exists()


def test_nothing_is_unpacked_to_see_whether_it_is_there(tmp_path, videos, monkeypatch):
    pack = zipped(videos, tmp_path / "videos.zip")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", lambda *_: pytest.fail("unpacked"))
    check_clip_paths([pack])
    (videos / "manifest.csv").write_text("path,label,source,subject,fps\n13,happy,here,astronaut,25\n")
    for place in (videos, zipped(videos, tmp_path / "other.zip")):
        with pytest.raises(DataError, match="names '13', which is not there"):
            check_clip_paths([place])


def test_a_clip_that_cannot_be_read_is_named_as_in_its_zip_file(tmp_path, videos, detector):
    for frame in (videos / "12").iterdir():
        frame.unlink()
    (videos / "12" / "notes.txt").write_text("no image")
    pack = zipped(videos, tmp_path / "videos.zip")
    with pytest.raises(SourceError, match=rf"There are no images in {pack}/12"):
        list(labelled_faces([pack], detector))


def test_a_clip_that_is_called_like_a_camera_is_none(videos, detector, monkeypatch):
    monkeypatch.chdir(videos)
    (faces,) = labelled_faces(clip_paths(".", videos.__class__()), detector)
    assert len(faces.crops) == 4


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
        prepared_faces([folder])


def test_frames_out_of_order_are_refused(tmp_path):
    folder = write_clips(tmp_path / "made", [("a", "test", 1, 3)])
    write_index(folder, reversed(open_prepared_set(folder).samples))
    with pytest.raises(DataError, match=r"The frames of the clip a in .*index\.csv are not in the order of their time"):
        prepared_faces([folder])


def test_two_sets_of_one_name_cannot_be_told_apart(tmp_path):
    one, other = (write_clips(tmp_path / place / "made", [("a", "test", 1, 1)]) for place in "ab")
    with pytest.raises(DataError, match=r"a/made and .*b/made have one name"):
        check_clip_paths([one, other])
    check_clip_paths([one, one])


def test_clips_that_are_missing_or_not_named_are_said(tmp_path):
    with pytest.raises(DataError, match=r"There are no clips at .*gone: give a zip file or folder with manifest\.csv"):
        check_clip_paths([tmp_path / "gone"])
    with pytest.raises(TrainingError, match="'clips' names nothing"):
        clip_paths((), tmp_path)
    assert clip_paths(("a", "b"), tmp_path) == [tmp_path / "a", tmp_path / "b"]
