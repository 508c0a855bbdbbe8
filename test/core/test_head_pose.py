"""Poses that are known exactly: points of the mean head, seen by cameras of known kind."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from dfer_ros.core.face_mesh import MESH_POINTS
from dfer_ros.core.head_pose import FRONTAL, MODEL_POINTS, Camera, HeadPose, default_camera, estimate_head_pose

CAMERA = default_camera(640, 480)
POSES = [(0, 0, 0), (0, 0, 40), (0, 0, -40), (0, 30, 0), (0, -30, 0), (25, 0, 0), (-25, 10, 30), (15, -20, -55)]


def turned(roll, pitch, yaw, position=(0.1, -0.05, 0.8)):
    turn = Rotation.from_euler("xyz", (roll, pitch, yaw), degrees=True).as_matrix()
    return HeadPose(np.array(position), FRONTAL @ turn)


def seen(pose, camera=CAMERA):
    """Return the landmarks of the mean head in a pose, [468, 2] pixels; those that it lacks are not numbers."""
    turn, _ = cv2.Rodrigues(pose.rotation)
    points = np.array(list(MODEL_POINTS.values()))
    if camera.fisheye:
        project, distortion = cv2.fisheye.projectPoints, np.array(camera.distortion)
        pixels, _ = project(points[:, None], turn, pose.position, camera.matrix, distortion)
    else:
        distortion = np.array(camera.distortion) if camera.distortion else None
        pixels, _ = cv2.projectPoints(points, turn, pose.position, camera.matrix, distortion)
    landmarks = np.full((MESH_POINTS, 2), np.nan, np.float32)
    landmarks[list(MODEL_POINTS)] = pixels.reshape(-1, 2)
    return landmarks


@pytest.mark.parametrize("angles", POSES)
def test_a_pose_is_told_as_it_was(angles):
    pose = turned(*angles)
    found = estimate_head_pose(seen(pose), CAMERA)
    assert found.roll_pitch_yaw == pytest.approx(angles, abs=0.05)
    assert found.position == pytest.approx(pose.position, abs=1e-3)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(CAMERA.matrix, (-0.3, 0.1, 0.001, -0.002, 0.0)),
        Camera(CAMERA.matrix, (0.4, -0.2, 0.001, 0.0, 0.05, 0.5, -0.1, 0.01)),
        Camera(CAMERA.matrix, (0.05, -0.02, 0.01, -0.003), fisheye=True),
        Camera(np.array([(900.0, 0, 700), (0, 910.0, 300), (0, 0, 1)])),
    ],
    ids=["plumb bob", "rational", "fisheye", "off the middle"],
)
def test_what_the_lens_does_is_taken_out(camera):
    pose = turned(5, 10, 20, (-0.15, 0.1, 0.7))
    found = estimate_head_pose(seen(pose, camera), camera)
    assert found.roll_pitch_yaw == pytest.approx((5, 10, 20), abs=0.1)
    assert found.position == pytest.approx(pose.position, abs=2e-3)


def test_the_axes_are_those_of_rep_155():
    """x out of the face and so against the camera, y to the person's left, which the camera sees on its right, z up."""
    assert turned(0, 0, 0).rotation.T.tolist() == [[0, 0, -1], [1, 0, 0], [0, -1, 0]]


@pytest.mark.parametrize(
    ("angles", "axis", "towards"),
    [
        ((0, 0, 30), 0, (0.5, 0, -0.87)),
        ((0, 30, 0), 0, (0, 0.5, -0.87)),
        ((30, 0, 0), 2, (-0.5, -0.87, 0)),
    ],
    ids=["yaw turns to the person's left", "pitch lowers the nose", "roll tilts to the right shoulder"],
)
def test_angles_have_the_sense_that_they_are_said_to_have(angles, axis, towards):
    assert turned(*angles).rotation[:, axis] == pytest.approx(towards, abs=0.01)


@pytest.mark.parametrize("angles", [*POSES, (0, 0, 179), (170, 0, 0)])
def test_the_quaternion_is_the_rotation(angles):
    pose = turned(*angles)
    assert Rotation.from_quat(pose.quaternion).as_matrix() == pytest.approx(pose.rotation, abs=1e-9)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1920, 1080)])
def test_a_camera_of_which_nothing_is_known_sees_60_degrees_across_its_longer_side(width, height):
    camera = default_camera(width, height)
    far = max(width, height) / 2
    (x, _), (_, y) = camera.rays(np.array([((width - 1) / 2 + far, 0), (0, (height - 1) / 2 + far)], np.float32))
    assert np.degrees(np.arctan((x, y))) == pytest.approx([30, 30])


def test_a_face_of_another_size_is_nearer_or_farther_but_turned_the_same():
    pose = turned(5, -10, 30, (0, 0, 0.8))
    smaller = HeadPose(pose.position / 0.8, pose.rotation)
    found = estimate_head_pose(seen(smaller), CAMERA)
    assert found.roll_pitch_yaw == pytest.approx((5, -10, 30), abs=0.05)
    assert found.position[2] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30], ids=str)
def test_landmarks_that_are_no_numbers_have_no_pose(value):
    landmarks = seen(turned(0, 0, 0))
    landmarks[1] = value
    found = estimate_head_pose(landmarks, CAMERA)
    assert found is None or np.isfinite(found.position).all()
    landmarks[:] = value
    assert estimate_head_pose(landmarks, CAMERA) is None


def test_landmarks_that_fall_on_one_point_raise_nothing():
    found = estimate_head_pose(np.full((MESH_POINTS, 2), 200, np.float32), CAMERA)
    assert found is None or found.position[2] > 0
