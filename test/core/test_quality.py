import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import TEMPLATE, align_face
from dfer_ros.core.faces import Detection
from dfer_ros.core.quality import face_quality, pose_score, sharpness_score, size_score

FRONTAL = TEMPLATE * 100


def with_eyes_apart(pixels):
    return (TEMPLATE * pixels / (TEMPLATE[1, 0] - TEMPLATE[0, 0])).astype(np.float32)


def detection(landmarks, confidence=1.0):
    return Detection(np.array((0, 0, 100, 100), np.float32), np.asarray(landmarks, np.float32), confidence)


@pytest.mark.parametrize(("pixels", "score"), [(0, 0.0), (4, 0.0), (8, 0.25), (12, 0.5), (20, 1.0), (200, 1.0)])
def test_size_counts_from_four_to_twenty_pixels_between_the_eyes(pixels, score):
    assert size_score(with_eyes_apart(pixels)) == pytest.approx(score, abs=1e-5)


def test_a_frontal_face_has_full_pose():
    assert pose_score(FRONTAL) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("degrees", [30, 90, 180, -45])
def test_roll_does_not_lower_the_pose(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert pose_score((FRONTAL @ turn.T).astype(np.float32)) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("offset", "score"), [(0.0, 1.0), (0.15, 0.75), (0.3, 0.5), (0.6, 0.0), (1.0, 0.0)])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_pose_falls_with_the_nose_off_the_middle(offset, score, side):
    landmarks = FRONTAL.copy()
    landmarks[2, 0] += side * offset * (landmarks[1, 0] - landmarks[0, 0])
    assert pose_score(landmarks) == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("share", [-0.3, 0.3])
def test_the_pose_falls_when_the_head_is_raised_or_lowered(share):
    landmarks = FRONTAL.copy()
    landmarks[2, 1] += share * (landmarks[3, 1] - landmarks[0, 1])
    assert pose_score(landmarks) == pytest.approx(0.5, abs=1e-5)


def test_landmarks_on_one_point_have_no_pose():
    assert pose_score(np.full((4, 2), 5.0, np.float32)) == 0.0


def test_blur_lowers_the_sharpness(aligned_crop):
    scores = [sharpness_score(aligned_crop)]
    scores += [sharpness_score(cv2.GaussianBlur(aligned_crop, (0, 0), sigma)) for sigma in (1.5, 3, 6)]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.3


def test_a_crop_of_one_colour_keeps_the_least_sharpness():
    assert sharpness_score(np.full((128, 128, 3), 90, np.uint8)) == pytest.approx(0.2)


def test_the_portrait_is_of_high_quality(portrait_landmarks, aligned_crop):
    assert face_quality(detection(portrait_landmarks), aligned_crop) > 0.8


def test_the_quality_is_proportional_to_the_confidence(portrait_landmarks, aligned_crop):
    sure, unsure = (face_quality(detection(portrait_landmarks, c), aligned_crop) for c in (1.0, 0.5))
    assert unsure == pytest.approx(sure / 2)


def test_a_far_face_is_of_low_quality(portrait, portrait_landmarks):
    small = cv2.resize(portrait, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    landmarks = portrait_landmarks * 0.12
    assert face_quality(detection(landmarks), align_face(small, landmarks)) < 0.1


@pytest.mark.parametrize("confidence", [float("nan"), 2.0, -1.0])
def test_the_quality_stays_between_zero_and_one(portrait_landmarks, aligned_crop, confidence):
    assert 0.0 <= face_quality(detection(portrait_landmarks, confidence), aligned_crop) <= 1.0


@pytest.mark.parametrize("far", [1e20, 3e38])
def test_landmarks_beyond_all_images_have_a_quality(aligned_crop, far):
    landmarks = FRONTAL.astype(np.float32)
    landmarks[3] = (far, -far)
    assert 0.0 <= pose_score(landmarks) <= 1.0
    assert 0.0 <= face_quality(detection(landmarks), aligned_crop) <= 1.0
