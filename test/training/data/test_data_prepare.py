"""`dfer data prepare`: from every layout to crops and an index."""

import itertools

import cv2
import numpy as np
import pytest
from made_data_sets import ALIGNED, CLIP_FRAMES, MADE, RAW, zipped
from prepared_folders import content, data_of, skipped

from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.labels import LABELS
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.image_files import ImageFolder
from dfer_ros.training.data.prepared_set import open_prepared_set
from dfer_ros.training.data.registry import DATASETS


@pytest.mark.parametrize("name", MADE)
def test_every_layout_becomes_crops_and_an_index(made, prepare_set, name):
    root, expected = made(name)
    output, code, _ = prepare_set(name, root)
    assert code == 0
    prepared = open_prepared_set(output)
    frames = {}
    for index, sample in enumerate(prepared.samples):
        unit = sample.clip or (sample.image if name in ALIGNED else sample.image.removesuffix(".jpg"))
        assert (sample.split, LABELS[sample.label]) == expected[unit]
        assert prepared.crop(index).shape == (128, 128, 3)
        assert 0 < sample.quality <= 1
        frames.setdefault(unit, []).append(sample.seconds)
    assert set(frames) == set(expected)
    assert len(list(itertools.groupby(sample.clip or sample.image for sample in prepared.samples))) == len(frames)
    if DATASETS[name].kind == "clips":
        assert all(len(times) == CLIP_FRAMES and times == sorted(set(times)) for times in frames.values())
    assert skipped(output) == {}
    assert not (output / "journal.jsonl").exists()


def test_a_still_gives_the_crop_that_the_robot_would_see(made, prepare_set, portrait, detector):
    root, _ = made("kdef")
    output, _, _ = prepare_set("kdef", root)
    pipeline = FacePipeline(detector, TrackerConfig(confirm_frames=1))
    # KDEF is JPEG: what is decoded of it is what counts.
    face = pipeline.process(cv2.imread(str(root / "KDEF/AF01/AF01ANS.JPG")), 0.0)[0]
    prepared = open_prepared_set(output)
    place = [sample.image for sample in prepared.samples].index("F01/AF01ANS.jpg")
    assert cv2.PSNR(prepared.crop(place), face.aligned) > 35
    assert prepared.samples[place].quality == pytest.approx(face.quality, abs=1e-3)
    assert prepared.samples[place].subject == "F01"


def test_a_clip_gives_the_crops_that_the_robot_would_see(made, prepare_set, detector):
    root, _ = made("mafw")
    output, _, _ = prepare_set("mafw", root)
    prepared = open_prepared_set(output)
    pipeline = FacePipeline(detector, TrackerConfig(confirm_frames=1))
    for index, frame in enumerate(ImageFolder(root / "data/frames/00151", 30.0).frames()):
        face = pipeline.process(frame.image, frame.stamp)[0]
        sample = prepared.samples[index]
        assert (sample.clip, sample.seconds) == ("00151", pytest.approx(frame.stamp, abs=1e-3))
        assert cv2.PSNR(prepared.crop(index), face.aligned) > 35


def test_a_clip_that_is_called_like_a_camera_is_none(prepare_set, portrait, tmp_path, monkeypatch):
    pack = tmp_path / "dynamic_clips"
    (pack / "0").mkdir(parents=True)
    for index in range(4):
        cv2.imwrite(str(pack / "0" / f"{index}.jpg"), portrait)
    (pack / "manifest.csv").write_text("path,label,source,subject,fps\n0,happy,lab,ann,25.0\n")
    monkeypatch.chdir(pack)
    output, code, _ = prepare_set("dynamic_clips", ".")
    assert (code, len(open_prepared_set(output).samples)) == (0, 4)


def test_the_largest_face_is_taken_and_a_tight_or_tiny_one_is_found(portrait, pictures, tmp_path, prepare_set):
    two = np.hstack([cv2.resize(portrait, (256, 256)), np.zeros((256, 40, 3), np.uint8)])
    two = np.vstack([two, np.zeros((256, 296, 3), np.uint8)])
    two = np.hstack([two, portrait])
    (tmp_path / "root").mkdir()
    cv2.imwrite(str(tmp_path / "root" / "AF01HAS.JPG"), two)
    cv2.imwrite(str(tmp_path / "root" / "AF02HAS.JPG"), portrait)
    pictures.face(tmp_path / "root" / "AF03HAS.JPG", 48)
    output, _, _ = prepare_set("kdef", tmp_path / "root")
    prepared = open_prepared_set(output)
    middle = slice(32, 96)
    crops = {one.subject: prepared.crop(index)[middle, middle] for index, one in enumerate(prepared.samples)}
    blurred = {person: cv2.GaussianBlur(crop, (0, 0), 2) for person, crop in crops.items()}
    assert cv2.PSNR(blurred["F01"], blurred["F02"]) > 20
    assert cv2.PSNR(blurred["F03"], blurred["F02"]) > 20


def test_the_aligned_packs_are_copied_byte_for_byte_from_folder_and_zip(made, prepare_set, tmp_path):
    root, expected = made("affectnet7")
    from_folder, _, _ = prepare_set("affectnet7", root, output=tmp_path / "from_folder")
    zipped(root, tmp_path / "affectnet7_aligned.zip")
    from_zip, _, _ = prepare_set("affectnet7", tmp_path, output=tmp_path / "from_zip")
    assert data_of(from_folder) == data_of(from_zip)
    assert {name: content(from_zip)[name] for name in expected} == content(root)


def test_dynamic_clips_are_read_from_the_zip_as_from_the_folder(made, prepare_set, tmp_path):
    root, _ = made("dynamic_clips")
    from_folder, _, _ = prepare_set("dynamic_clips", root, output=tmp_path / "from_folder")
    from_zip, _, _ = prepare_set("dynamic_clips", zipped(root, tmp_path / "clips.zip"), output=tmp_path / "from_zip")
    assert data_of(from_folder) == data_of(from_zip)
    subjects = {sample.clip: sample.subject for sample in open_prepared_set(from_zip).samples}
    assert subjects["ckplus/S055_001"] == "S055"


def test_all_raw_sets_need_a_detector_and_the_aligned_ones_none(made):
    assert {name for name in RAW if "aligned" in DATASETS[name].kind} == set()
    assert {name for name in ALIGNED if "aligned" not in DATASETS[name].kind} == set()
