"""`dfer data prepare`: what gives no crop is left out, counted and listed."""

import shutil

import cv2
import numpy as np
from made_data_sets import zipped
from prepared_folders import skipped

from dfer_ros.training.data.prepared_set import open_prepared_set


def test_what_shows_no_face_or_cannot_be_read_is_counted_and_listed(made, prepare_set):
    root, _ = made("kdef")
    cv2.imwrite(str(root / "KDEF" / "AM02HAS.JPG"), np.full((300, 300, 3), 90, np.uint8))
    (root / "KDEF" / "AM03HAS.JPG").write_bytes(b"no image")
    (root / "KDEF" / "AM04HAS.JPG").write_bytes(b"")
    output, code, said = prepare_set("kdef", root)
    assert code == 0
    assert "3 recordings were left out (2: could not be read, 1: no face was found)" in said
    reasons = skipped(output)
    assert set(reasons) == {"M02/AM02HAS", "M03/AM03HAS", "M04/AM04HAS"}
    assert reasons["M02/AM02HAS"] == "no face was found"
    assert "AM03HAS.JPG is not an image that can be decoded" in reasons["M03/AM03HAS"]
    assert len(open_prepared_set(output).samples) == 4


def test_a_damaged_clip_is_left_out_and_a_damaged_frame_only_missing(made, prepare_set):
    root, _ = made("ferv39k")
    (root / "2_ClipsforFaceCrop/Crime/Fear/0002.mp4").write_bytes(b"no video")
    (root / "2_ClipsforFaceCrop/Action/Happy/0010/00002.jpg").write_bytes(b"no image")
    output, code, said = prepare_set("ferv39k", root)
    assert code == 0
    assert "1 recordings were left out (1: could not be read)" in said
    assert "Of 1 clips single frames could not be read" in said
    assert "0002.mp4" in skipped(output)["Crime/Fear/0002"]
    assert "00002.jpg" in skipped(output)["Action/Happy/0010"]
    frames = [sample.image for sample in open_prepared_set(output).samples if sample.clip == "Action/Happy/0010"]
    assert frames == [f"Action/Happy/0010/{index:05d}.jpg" for index in (0, 2, 3, 4)]


def test_a_damaged_video_of_a_zip_is_named_as_in_the_zip(made, prepare_set, tmp_path):
    root, _ = made("dynamic_clips")
    (root / "clips" / "mead_W009_happy.mp4").write_bytes(b"no video")
    output, _, _ = prepare_set("dynamic_clips", zipped(root, tmp_path / "clips.zip"))
    assert f"{tmp_path / 'clips.zip'}/mead/mead_W009_happy" in skipped(output)["mead/mead_W009_happy"]


def test_a_set_without_any_crop_is_none(tmp_path, prepare_set):
    (tmp_path / "AF01HAS.JPG").write_bytes(b"no image")
    output, code, said = prepare_set("kdef", tmp_path)
    assert code == 1
    assert "None of the 1 recordings gave a crop" in said
    assert not (output / "index.csv").exists()


def test_what_is_listed_but_not_there_stops_it_unless_it_may_be_left_out(made, prepare_set):
    root, _ = made("mafw")
    shutil.rmtree(root / "data/frames/00153")
    output, code, said = prepare_set("mafw", root)
    assert code == 1
    assert f"1 of 3 recordings of MAFW are not there, the first is {root}/data/frames/00153" in said
    assert not output.exists()
    output, code, said = prepare_set("mafw", root, "--skip-missing")
    assert code == 0
    assert set(skipped(output)) == {"00153"}
