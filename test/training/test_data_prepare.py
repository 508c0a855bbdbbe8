"""`dfer data prepare`: from every layout to crops and an index, whole or not at all, and on from where it stopped."""

import csv
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from made_data_sets import ALIGNED, CLIP_FRAMES, MADE, RAW, write, zipped

from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.labels import LABELS
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.video import ImageFolder
from dfer_ros.training.data.preparation import prepare
from dfer_ros.training.data.prepared_set import open_prepared_set
from dfer_ros.training.data.registry import DATASETS

PROGRAM = """
import sys
from dfer_ros.cli import main
main.COMMANDS.setdefault("data", "prepare data sets")
main.main(["data", *sys.argv[1:]])
"""


@pytest.fixture
def detector_arguments(detector, request):
    """What makes the command take the detector of the tests."""
    there = ("--detector", detector.name)
    return there if detector.name == "mediapipe" else (*there, "--yunet-model", request.getfixturevalue("yunet_model"))


@pytest.fixture
def prepare_set(dfer_data, detector_arguments, tmp_path):
    """A function that prepares a data set into a folder and returns that, the exit code and what was said."""

    def run(name, root, *options, output=None):
        output = output or tmp_path / "prepared"
        code, said = dfer_data("prepare", name, "--root", root, "--output", output, *detector_arguments, *options)
        assert "Traceback" not in said
        return output, code, said

    return run


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data_of(folder):
    """All of a prepared set but where it came from."""
    return {name: data for name, data in content(folder).items() if name != "prepared.json"}


def skipped(folder):
    with (folder / "skipped.csv").open(newline="") as file:
        return {row["recording"]: row["reason"] for row in csv.DictReader(file)}


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


def test_a_finished_set_is_left_alone_and_never_mixed_with_another(made, prepare_set):
    root, _ = made("mafw")
    output, _, _ = prepare_set("mafw", root)
    before = content(output)
    _, code, said = prepare_set("mafw", root)
    assert (code, "as prepared before" in said) == (0, True)
    _, code, said = prepare_set("mafw", root, "--fold", "2")
    assert (code, "holds a set that was prepared with fold 1, not 2: choose another --output" in said) == (1, True)
    assert content(output) == before


def test_a_finished_set_of_another_root_or_with_gaps_is_not_taken_for_this_one(made, prepare_set, tmp_path):
    root, _ = made("mafw")
    other = shutil.copytree(root, tmp_path / "other_root")
    shutil.rmtree(root / "data/frames/00153")
    output, code, _ = prepare_set("mafw", root, "--skip-missing")
    assert code == 0
    before = content(output)
    _, code, said = prepare_set("mafw", other, "--skip-missing")
    assert (code, f"was prepared with root {root}, not {other}: choose another" in said) == (1, True)
    shutil.copytree(other / "data/frames/00153", root / "data/frames/00153")
    _, code, said = prepare_set("mafw", root)
    assert (code, "was prepared with skip missing True, not False" in said) == (1, True)
    assert content(output) == before
    _, code, said = prepare_set("mafw", root, "--skip-missing")
    assert (code, "as prepared before" in said) == (0, True)


def test_a_set_of_an_older_version_that_kept_less_is_known_again(made, prepare_set):
    root, _ = made("mafw")
    output, _, _ = prepare_set("mafw", root)
    summary = json.loads((output / "prepared.json").read_text())
    assert set(summary["settings"]) == {"data set", "fold", "detector", "root", "skip missing"}
    for name in ("root", "skip missing"):
        del summary["settings"][name]
    (output / "prepared.json").write_text(json.dumps(summary))
    _, code, said = prepare_set("mafw", root)
    assert (code, "as prepared before" in said) == (0, True)
    (output / "prepared.json").write_text("[]")
    _, code, said = prepare_set("mafw", root)
    assert (code, "settings that nobody knows, as prepared.json is missing or damaged" in said) == (1, True)


def test_a_folder_with_something_else_in_it_is_not_touched(made, prepare_set, tmp_path):
    root, _ = made("ck48")
    write(tmp_path / "mine" / "letter.txt", "dear")
    _, code, said = prepare_set("ck48", root, output=tmp_path / "mine")
    assert (code, "is not empty and no prepared set" in said) == (1, True)
    _, code, said = prepare_set("ck48", root, output=tmp_path / "mine" / "letter.txt")
    assert (code, "is a file" in said) == (1, True)
    assert content(tmp_path / "mine") == {"letter.txt": b"dear"}


def start(*arguments, file_limit=None):
    def limit():
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    command = [sys.executable, "-c", PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=limit)


def test_a_killed_run_leaves_no_set_and_the_next_goes_on(made, prepare_set, detector_arguments, tmp_path):
    root, _ = made("ferv39k")
    clips = root / "2_ClipsforFaceCrop"
    write(root / "4_setups/All_scenes/test_All.csv", "Crime/Sad/0001 Sad\nCrime/Sad/0002 Sad\nCrime/Sad/0003 Sad\n")
    for name in ("0001", "0002", "0003"):
        shutil.copytree(clips / "Action/Happy/0010", clips / "Crime/Sad" / name)
    # A frame that nobody writes: the run waits for it in the midst of the fourth clip.
    pipe = clips / "Crime/Sad/0002/00003.jpg"
    image = pipe.read_bytes()
    pipe.unlink()
    os.mkfifo(pipe)
    output = tmp_path / "killed"
    process = start("prepare", "ferv39k", "--root", root, "--output", output, *detector_arguments)
    while not (output / "journal.jsonl").exists() or (output / "journal.jsonl").read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (output / "index.csv").exists()
    assert not (output / "Crime/Sad/0002").exists()
    first = (output / "Action/Happy/0010/00000.jpg").stat().st_mtime_ns
    pipe.unlink()
    pipe.write_bytes(image)
    prepare_set("ferv39k", root, output=output)
    whole, _, _ = prepare_set("ferv39k", root, output=tmp_path / "whole")
    assert content(output) == content(whole)
    assert (output / "Action/Happy/0010/00000.jpg").stat().st_mtime_ns == first


class Stop(Exception):
    """What ends a run in a test."""


def test_a_run_that_ended_anywhere_is_gone_on_with(made, tmp_path):
    root, _ = made("affectnet7")
    recordings = DATASETS["affectnet7"].recordings(root)
    settings = {"data set": "affectnet7", "fold": None, "detector": "auto"}

    def run(output, stop_at=None):
        def progress(done):
            if done == stop_at:
                raise Stop

        return prepare(recordings, output, settings, pytest.fail, progress)

    run(tmp_path / "whole")
    whole = content(tmp_path / "whole")
    for stop_at in (0, 1, 7, len(recordings)):
        output = tmp_path / f"stopped_{stop_at}"
        with pytest.raises(Stop):
            run(output, stop_at)
        assert not (output / "index.csv").exists()
        journal = output / "journal.jsonl"
        if stop_at:
            # Half a line, and a crop that was not written to the end before the power went.
            journal.write_bytes(journal.read_bytes()[:-9])
            (output / recordings[0].name).write_bytes(b"")
        run(output)
        assert content(output) == whole


def test_ctrl_c_is_answered_with_how_to_go_on(made, dfer_data, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    root, _ = made("ck48")
    monkeypatch.setattr("dfer_ros.training.data.preparation._prepare_one", interrupt)
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "prepared")
    assert code == 130
    assert "the same command goes on from there" in said


def test_other_settings_do_not_go_on_with_it(made, tmp_path, dfer_data):
    root, _ = made("ck48")
    write(
        tmp_path / "begun" / "journal.jsonl", json.dumps({"data set": "kdef", "fold": None, "detector": "auto"}) + "\n"
    )
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert code == 1
    assert "begun was begun with data set kdef, not ck48: go on as it was begun, or choose another --output." in said
    begun = {"data set": "ck48", "fold": None, "detector": "auto", "root": "/elsewhere", "skip missing": False}
    write(tmp_path / "begun" / "journal.jsonl", json.dumps(begun) + "\n")
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert (code, f"was begun with root /elsewhere, not {root}: go on" in said) == (1, True)
    write(tmp_path / "begun" / "journal.jsonl", "nonsense\n")
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert (code, "journal.jsonl is damaged" in said) == (1, True)


def test_a_full_disk_is_one_sentence_and_nothing_half_written(made, dfer_data, tmp_path):
    root, expected = made("affectnet7", stills=12)
    sizes = {name: (root / name).stat().st_size for name in expected}
    output = tmp_path / "prepared"
    # A limit on the size of files is what an ordinary user has that stops a write half way.
    process = start("prepare", "affectnet7", "--root", root, "--output", output, file_limit=min(sizes.values()) - 1)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    assert "cannot be written (File too large): make room" in said.replace("\n", " ")
    assert list(content(output)) == ["journal.jsonl"]
    # With room for a crop but not for the journal of all of them.
    process = start("prepare", "affectnet7", "--root", root, "--output", output, file_limit=max(sizes.values()) + 1)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert "cannot be written (No space left on device): make room" in said.replace("\n", " ")
    assert not (output / "index.csv").exists()
    assert content(output)["journal.jsonl"].endswith(b"\n")
    code, _ = dfer_data("prepare", "affectnet7", "--root", root, "--output", output)
    assert code == 0
    assert len(open_prepared_set(output).samples) == len(expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_the_right_to_write_is_named(made, dfer_data, tmp_path):
    root, _ = made("ck48")
    (tmp_path / "locked").mkdir(mode=0o500)
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "locked" / "set")
    assert (code, "cannot be written (Permission denied)" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "usage: dfer data"),
        (("prepare",), 2, "usage: dfer data prepare"),
        (("prepare", "nothing", "--root", "{root}", "--output", "{root}/out"), 2, "choose from"),
        (
            ("prepare", "dfew", "--root", "/nowhere", "--output", "{root}/out"),
            1,
            "There is no /nowhere: give --root DFEW as it is published, which can be had from https://dfew-dataset",
        ),
        (
            ("prepare", "dfew", "--root", "{root}", "--output", "{root}/out"),
            1,
            "which can be had from https://dfew-dataset",
        ),
        (("prepare", "kdef", "--root", "{root}", "--output", "{root}/out", "--fold", "2"), 1, "has no fold 2"),
        (
            ("prepare", "ck48", "--root", "{root}/bad.zip", "--output", "{root}/out"),
            1,
            "bad.zip is not a whole zip file",
        ),
        (("prepare", "ck48", "--root", "{root}/empty.zip", "--output", "{root}/out"), 1, "has no angry/ in it"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path, dfer_data, arguments, code, sentence):
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    (tmp_path / "empty").mkdir()
    zipped(tmp_path / "empty", tmp_path / "empty.zip")
    before = content(tmp_path)
    ended, said = dfer_data(*(argument.format(root=tmp_path) for argument in arguments))
    assert (ended, "Traceback" in said) == (code, False)
    assert sentence in said
    assert content(tmp_path) == before


def test_an_unknown_name_is_answered_with_all_names(dfer_data, tmp_path):
    _, said = dfer_data("prepare", "nothing", "--root", tmp_path, "--output", tmp_path / "out")
    assert all(name in said for name in DATASETS)


def test_all_raw_sets_need_a_detector_and_the_aligned_ones_none(made):
    assert {name for name in RAW if "aligned" in DATASETS[name].kind} == set()
    assert {name for name in ALIGNED if "aligned" not in DATASETS[name].kind} == set()
