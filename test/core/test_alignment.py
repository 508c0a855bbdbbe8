import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE, align_face, alignment_transform

TARGET = TEMPLATE * ALIGNED_SIZE


def placed(landmarks, scale=1.0, degrees=0.0, shift=(0.0, 0.0)):
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (landmarks @ turn.T + shift).astype(np.float32)


def applied(transform, points):
    return points @ transform[:, :2].T + transform[:, 2]


def test_the_template_is_that_of_the_design():
    assert ALIGNED_SIZE == 128
    assert pytest.approx(np.array([(46.08, 51.2), (81.92, 51.2), (64.0, 71.68), (64.0, 92.672)])) == TARGET


@pytest.mark.parametrize("scale", [0.1, 1.0, 7.5])
@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -120])
def test_the_transform_undoes_any_similarity(scale, degrees):
    landmarks = placed(TARGET, scale, degrees, (300.0, -40.0))
    assert applied(alignment_transform(landmarks), landmarks) == pytest.approx(TARGET, abs=1e-3)


def test_the_transform_is_the_least_squares_similarity():
    rng = np.random.default_rng(0)
    landmarks = placed(TARGET, 2.0, 20, (50.0, 60.0)) + rng.normal(0, 6, (4, 2)).astype(np.float32)
    x, y, one, zero = *landmarks.T.astype(np.float64), np.ones(4), np.zeros(4)
    rows = np.vstack([np.column_stack([x, -y, one, zero]), np.column_stack([y, x, zero, one])])
    a, b, tx, ty = np.linalg.lstsq(rows, TARGET.T.ravel(), rcond=None)[0]
    assert alignment_transform(landmarks) == pytest.approx(np.array([[a, -b, tx], [b, a, ty]]), rel=1e-4, abs=1e-4)


def test_a_mirrored_face_is_not_reflected():
    transform = alignment_transform(placed(TARGET) * (-1, 1))
    assert np.linalg.det(transform[:, :2]) > 0


def test_landmarks_on_one_point_are_only_shifted():
    transform = alignment_transform(np.full((4, 2), 10.0, dtype=np.float32))
    assert transform[:, :2].tolist() == [[1, 0], [0, 1]]
    assert applied(transform, np.array([10.0, 10.0])) == pytest.approx(TARGET.mean(axis=0))


def test_the_crop_shows_each_landmark_at_its_place_in_the_template():
    landmarks = placed(TARGET, 3.0, 25, (200.0, 50.0))
    image = np.zeros((480, 640, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    for (x, y), colour in zip(landmarks, colours):
        cv2.circle(image, (round(float(x)), round(float(y))), 9, colour, cv2.FILLED)
    crop = align_face(image, landmarks)
    assert crop.shape == (128, 128, 3)
    assert crop.dtype == np.uint8
    for (x, y), colour in zip(TARGET, colours):
        assert tuple(crop[round(float(y)), round(float(x))]) == colour


def test_outside_the_image_is_black():
    white = np.full((100, 100, 3), 255, np.uint8)
    crop = align_face(white, placed(TARGET, shift=(-64.0, 0.0)))
    assert (crop[:, :63] == 0).all()
    assert (crop[:99, 65:] == 255).all()
    assert (crop[101:] == 0).all()


@pytest.mark.parametrize("shift", [(-5000.0, 0.0), (5000.0, 0.0), (0.0, -5000.0), (0.0, 5000.0)])
@pytest.mark.parametrize("scale", [0.5, 20.0])
def test_a_face_far_outside_the_image_gives_a_black_crop(scale, shift):
    white = np.full((100, 100, 3), 255, np.uint8)
    assert align_face(white, placed(TARGET, scale, shift=shift)).max() == 0


@pytest.mark.parametrize("enlargement", [2, 3, 5, 8])
def test_a_large_face_gives_the_same_crop_as_a_small_one(portrait, portrait_landmarks, aligned_crop, enlargement):
    image = cv2.resize(portrait[:256, 96:352], None, fx=enlargement, fy=enlargement, interpolation=cv2.INTER_CUBIC)
    landmarks = (portrait_landmarks - (96, 0) + 0.5) * enlargement - 0.5
    difference = np.abs(align_face(image, landmarks).astype(float) - aligned_crop)
    assert difference.mean() < 3.0


def test_fine_patterns_of_a_large_face_do_not_alias():
    noise = np.random.default_rng(0).integers(0, 256, (2048, 2048, 3), dtype=np.uint8)
    crop = align_face(noise, placed(TARGET, 16.0))
    assert crop[4:-4, 4:-4].mean() == pytest.approx(127.5, abs=1.0)
    assert crop[4:-4, 4:-4].std() < 8.0


def test_a_turned_portrait_gives_the_same_crop(portrait, portrait_landmarks, aligned_crop):
    turn = cv2.getRotationMatrix2D((224, 112), 40, 1.0)
    turned = cv2.warpAffine(portrait, turn, (512, 512), flags=cv2.INTER_CUBIC)
    crop = align_face(turned, applied(turn, portrait_landmarks))
    centre = slice(32, 96)
    assert np.abs(crop[centre, centre].astype(float) - aligned_crop[centre, centre]).mean() < 4.0


@pytest.mark.parametrize("size", [64, 112, 256])
def test_a_crop_of_another_size_shows_the_same(portrait, portrait_landmarks, aligned_crop, size):
    crop = align_face(portrait, portrait_landmarks, size)
    assert crop.shape == (size, size, 3)
    assert np.abs(cv2.resize(crop, (128, 128)).astype(float) - aligned_crop).mean() < 8.0


def test_the_image_is_left_as_it_was(portrait, portrait_landmarks):
    image = portrait.copy()
    align_face(image, portrait_landmarks * 3)
    assert (image == portrait).all()


@pytest.mark.parametrize("far", [1e9, 1e20, 3e38])
@pytest.mark.filterwarnings("error")
def test_landmarks_beyond_all_images_give_a_crop(far):
    landmarks = placed(TARGET)
    landmarks[2] = (far, -far)
    assert align_face(np.full((100, 100, 3), 90, np.uint8), landmarks).shape == (128, 128, 3)
