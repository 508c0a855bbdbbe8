"""The face mesh on the portrait: where its points lie, whatever the detector's landmarks tell of roll and size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from dfer_ros.core import face_mesh
from dfer_ros.core.errors import ModelError
from dfer_ros.core.face_mesh import MESH_POINTS, FaceMesh
from dfer_ros.core.model.onnx_session import SessionConfig

EYE_DISTANCE = 43.5
"""Of the portrait, pixels."""
RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = (33, 133), (362, 263), (1, 4), (13, 14)


@pytest.fixture(scope="module")
def mesh():
    return FaceMesh(SessionConfig())


@pytest.fixture(scope="module")
def landmarks(mesh, portrait, portrait_landmarks):
    return mesh.landmarks(portrait, portrait_landmarks)


def middle(landmarks, points):
    return landmarks[list(points)].mean(axis=0)


def test_the_features_of_a_face_are_where_a_person_sees_them(landmarks, portrait_landmarks):
    assert landmarks.shape == (MESH_POINTS, 2)
    assert landmarks.dtype == np.float32
    found = np.array([middle(landmarks, points) for points in (RIGHT_EYE, LEFT_EYE, NOSE, MOUTH)])
    assert np.linalg.norm(found - portrait_landmarks, axis=1).max() < 0.1 * EYE_DISTANCE


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_face_that_is_rolled_has_the_same_points_though_its_detection_is_level(
    mesh, landmarks, portrait, portrait_landmarks, degrees
):
    centre = tuple(portrait_landmarks.mean(axis=0).tolist())
    turn = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    found = mesh.landmarks(cv2.warpAffine(portrait, turn, (512, 512)), portrait_landmarks)
    expected = landmarks @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(found - expected, axis=1).mean() < 0.05 * EYE_DISTANCE


@pytest.mark.parametrize("scale", [0.4, 2.0, 6.0])
def test_a_face_of_another_size_has_the_same_points(mesh, landmarks, portrait, portrait_landmarks, scale):
    image = cv2.resize(
        portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    found = mesh.landmarks(image, (portrait_landmarks + 0.5) * scale - 0.5)
    distances = np.linalg.norm((found + 0.5) / scale - 0.5 - landmarks, axis=1)
    assert distances.mean() < 0.04 * EYE_DISTANCE


def test_a_face_cut_by_the_edge_of_the_image_is_found(mesh, landmarks, portrait, portrait_landmarks):
    corner = np.array((185, 60), np.float32)
    found = mesh.landmarks(portrait[60:, 185:], portrait_landmarks - corner)
    assert np.linalg.norm(found + corner - landmarks, axis=1).mean() < 0.1 * EYE_DISTANCE


def test_where_nobody_is_nothing_is_found(mesh, portrait, portrait_landmarks):
    assert mesh.landmarks(np.full_like(portrait, 120), portrait_landmarks) is None
    assert mesh.landmarks(portrait, portrait_landmarks + np.array((100, 250), np.float32)) is None


@pytest.mark.parametrize(
    "detected",
    [
        np.zeros((4, 2)),
        np.full((4, 2), 1e6),
        np.array([(-1e7, 0), (1e7, 0), (0, 1e7), (0, 2e7)]),
        np.full((4, 2), np.nan),
        np.full((4, 2), np.inf),
    ],
    ids=["one point", "far away", "huge", "no number", "infinite"],
)
def test_a_detection_that_makes_no_sense_is_no_face(mesh, portrait, detected):
    assert mesh.landmarks(portrait, detected.astype(np.float32)) is None


def test_the_image_is_left_as_it_was(mesh, portrait, portrait_landmarks):
    image = portrait.copy()
    mesh.landmarks(image, portrait_landmarks)
    assert (image == portrait).all()


def test_the_points_are_those_of_mediapipe(landmarks, portrait):
    """Its own graph has a region of its own, and points that move a little with it."""
    mediapipe = pytest.importorskip("mediapipe", reason="mediapipe 0.10.21 is not installed")
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True) as graph:
        (theirs,) = graph.process(cv2.cvtColor(portrait, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    expected = np.array([(point.x, point.y) for point in theirs.landmark]) * 512 - 0.5
    distances = np.linalg.norm(landmarks - expected, axis=1)
    assert distances.mean() < 0.03 * EYE_DISTANCE
    assert distances.max() < 0.12 * EYE_DISTANCE


def test_a_damaged_or_missing_file_is_one_sentence(monkeypatch, tmp_path):
    file = tmp_path / "face_landmark.onnx"
    monkeypatch.setattr(face_mesh, "mesh_file", lambda: file)
    with pytest.raises(ModelError, match="install the package again"):
        FaceMesh(SessionConfig())
    whole = (Path(__file__).parents[2] / "models" / "face_landmark" / "face_landmark.onnx").read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match="install the package again"):
        FaceMesh(SessionConfig())
