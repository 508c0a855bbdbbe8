"""Micro-expressions put into a calm face at known moments, on real pixels; and `dfer micro` on videos with them."""

import json
from functools import cache
from itertools import islice

import cv2
import numpy as np
import pytest
from made_videos import cut, write_video

from dfer_ros.cli.main import main
from dfer_ros.core.alignment import align_face
from dfer_ros.recordings import micro_expressions
from dfer_ros.recordings.demo_clip import _unhappy, load_portrait
from dfer_ros.recordings.micro_expressions import MicroConfig, MicroSpotter, find_micro_expressions, grey_face

RATE = 60
SMILE = np.eye(7, dtype=np.float32)[1]
LANDMARKS = np.array([(204, 107), (246, 107), (226, 128), (226, 149)], dtype=np.float32)


def bump(seconds, onset, length):
    """Return how much of an expression that comes and goes is seen, 0..1."""
    phase = (seconds - onset) / length
    return np.sin(np.pi * phase) ** 2 if 0 < phase < 1 else 0.0


def step(seconds, onset, length):
    """Return how much of an expression that comes to stay is seen, 0..1."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((seconds - onset) / length, 0, 1))


@cache
def look(size):
    """Return the portrait with its mouth and brows moved by so much of the way from its smile to an unhappy face."""
    return cv2.resize(_unhappy(load_portrait(), size), (384, 384), interpolation=cv2.INTER_AREA)


def noisy(picture, noise):
    """Return what a camera makes of a picture."""
    return np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def pictures(expression, seconds=3.0, size=0.5):
    """Yield the pictures of a head that sways a little, seen by a noisy camera at 60 Hz."""
    noise = np.random.default_rng(0)
    for stamp in np.arange(round(seconds * RATE)) / RATE:
        sway = np.float32([[1, 0, 3 * np.sin(2 * np.pi * stamp / 4)], [0, 1, 40]])
        yield noisy(cv2.warpAffine(look(round(size * expression(stamp), 2)), sway, (384, 384)), noise)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A video of 3 s at 60 Hz with a micro-expression from 1.3 to 1.65 s."""
    path = tmp_path_factory.mktemp("micro") / "micro.mp4"
    return write_video(path, fps=RATE, pictures=pictures(lambda stamp: bump(stamp, 1.3, 0.35)))


def dfer(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["micro", *map(str, arguments)])
    return ended.value.code


def faces_of(sizes):
    """Return crops of a face whose mouth and brows moved by so much, each with the noise of a camera."""
    noise = np.random.default_rng(0)
    return [noisy(align_face(look(size), 0.75 * LANDMARKS), noise) for size in sizes]


def test_the_moments_of_a_micro_expression_are_told(video, tmp_path, capsys):
    lines = tmp_path / "found.jsonl"
    assert dfer(video, "-o", lines) == 0
    (found,) = (json.loads(line) for line in lines.read_text().splitlines())
    assert found["face_id"] == "face1"
    assert found["onset"] == pytest.approx(1.3, abs=0.1)
    assert found["apex"] == pytest.approx(1.475, abs=0.06)
    assert found["offset"] == pytest.approx(1.65, abs=0.1)
    shown = capsys.readouterr().out
    assert "1 micro-expression ->" in shown and f"{found['apex']:.3f}" in shown


def test_a_video_that_plays_slower_than_it_was_taken_has_the_times_of_the_camera(tmp_path):
    path, lines = tmp_path / "slow.mp4", tmp_path / "found.jsonl"
    write_video(path, fps=30, pictures=pictures(lambda stamp: bump(stamp, 1.3, 0.35)))
    assert dfer(path, "-o", lines, "--camera-rate", RATE) == 0
    (found,) = (json.loads(line) for line in lines.read_text().splitlines())
    assert found["apex"] == pytest.approx(1.475, abs=0.06)


def test_a_calm_face_and_an_expression_that_stays_are_none(tmp_path, capsys):
    path = tmp_path / "stays.mp4"
    write_video(path, fps=RATE, pictures=pictures(lambda stamp: step(stamp, 1.3, 0.3), size=1.0))
    assert dfer(path) == 0
    assert capsys.readouterr().out == "0 micro-expressions\n"


def test_a_label_is_given_only_where_an_expression_rises():
    stamps = np.arange(3 * RATE) / RATE
    sizes = [round(0.6 * bump(stamp, 1.3, 0.3), 2) for stamp in stamps]
    faces = [grey_face(crop) for crop in faces_of(sizes)]
    calm = np.tile(np.array([0.7, 0.1, 0.04, 0.04, 0.04, 0.04, 0.04], np.float32), (len(stamps), 1))
    (unsure,) = find_micro_expressions(faces, stamps, calm, MicroConfig())
    assert unsure.expression == "unknown" and unsure.rise == pytest.approx(0.0, abs=1e-6)
    surprised = calm.copy()
    surprised[(stamps > 1.3) & (stamps < 1.6)] = (0.3, 0.1, 0.04, 0.04, 0.44, 0.04, 0.04)
    (sure,) = find_micro_expressions(faces, stamps, surprised, MicroConfig())
    assert sure.expression == "surprised" and sure.rise == pytest.approx(0.4, abs=0.01)


def test_what_ended_while_the_face_was_not_seen_is_not_called_short():
    stamps = np.concatenate([np.arange(72) / RATE, 3.0 + np.arange(60) / RATE])
    seen = [round(step(stamp, 1.0, 0.15), 2) for stamp in stamps[:72]]
    faces = [grey_face(crop) for crop in faces_of(seen + [0.0] * 60)]
    assert find_micro_expressions(faces, stamps, np.tile(SMILE, (132, 1)), MicroConfig()) == []


def test_a_long_video_is_judged_in_stretches_and_each_one_is_told_once(monkeypatch):
    monkeypatch.setattr(micro_expressions, "STRETCH_SECONDS", 4.0)
    onsets = (1.0, 3.6, 3.95 + 3.0, 10.0)
    stamps = np.arange(12 * 30) / 30
    sizes = [round(0.6 * max(bump(stamp, onset, 0.4) for onset in onsets), 2) for stamp in stamps]
    spotter = MicroSpotter()
    crops = faces_of(sizes)
    found = [one for crop, stamp in zip(crops, stamps.tolist()) for one in spotter.add(stamp, crop, SMILE)]
    assert found, "nothing is told before the end"
    found += spotter.finish()
    assert [one.apex for one in found] == pytest.approx([onset + 0.2 for onset in onsets], abs=0.07)


def test_what_cannot_be_done_is_one_sentence(tmp_path, video, capsys):
    slow, empty = write_video(tmp_path / "slow.mp4", 20, fps=10), write_video(tmp_path / "empty.mp4", 60, fps=60)
    short = write_video(tmp_path / "short.mp4", fps=RATE, pictures=islice(pictures(lambda stamp: 0.0), 5))
    said = {
        short: "Nobody is seen for longer than",
        slow: "has 10 frames a second, too few for micro-expressions",
        empty: "There is no face in",
        tmp_path / "none.mp4": "There is no file or folder",
        cut(video, 0.02): "cut_micro.mp4",
    }
    for path, sentence in said.items():
        assert dfer(path, "-o", tmp_path / "found.jsonl") == 1
        (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("dfer micro: ")]
        assert sentence in line
    for option in ("--threshold", "--camera-rate"):
        for value in ("-1", "0", "nan", "inf"):
            assert dfer(video, option, value) == 2
            assert f"argument {option}: must be a number above 0, not {value}" in capsys.readouterr().err
    assert not (tmp_path / "found.jsonl").exists()
