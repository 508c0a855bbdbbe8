import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE
from dfer_ros.nodes.hri.images import ALIGNMENTS, cropped_face, realigned_face


def box(*numbers):
    return np.array(numbers, dtype=np.float32)


def test_a_cropped_face_keeps_its_proportions_and_is_padded_with_black():
    image = np.full((200, 300, 3), 90, np.uint8)
    crop = cropped_face(image, box(100, 20, 60, 120))
    assert crop.shape == (128, 128, 3)
    assert (crop[:, 32:96] == 90).all()
    assert not crop[:, :32].any()
    assert not crop[:, 96:].any()


def test_a_cropped_face_shows_what_is_in_the_box(portrait):
    part = portrait[60:188, 160:288]
    assert (cropped_face(portrait, box(160, 60, 128, 128)) == part).all()
    smaller = cropped_face(portrait, box(96, 0, 256, 256))
    assert np.abs(smaller - cv2.resize(portrait[:256, 96:352], (128, 128), interpolation=cv2.INTER_AREA)).max() == 0


@pytest.mark.parametrize("place", [(-40, -40, 100, 100), (250, 150, 100, 100), (299.4, 10, 0.2, 50), (0, 0, 300, 1)])
def test_a_box_beyond_the_image_or_hardly_in_it_gives_a_crop(place):
    crop = cropped_face(np.full((200, 300, 3), 90, np.uint8), box(*place))
    assert crop.shape == (128, 128, 3)
    assert set(np.unique(crop)) <= {0, 90}


def test_a_box_outside_the_image_gives_black():
    assert not cropped_face(np.full((200, 300, 3), 90, np.uint8), box(400, 10, 50, 50)).any()


def test_our_own_crop_passes_unchanged(aligned_crop):
    assert realigned_face(aligned_crop, ALIGNMENTS["dfer"]) is aligned_crop


@pytest.mark.parametrize("size", [64, 256])
def test_a_crop_of_another_size_is_scaled(aligned_crop, size):
    other = cv2.resize(aligned_crop, (size, size), interpolation=cv2.INTER_AREA)
    difference = np.abs(realigned_face(other, TEMPLATE).astype(int) - aligned_crop)
    assert difference.mean() < 6


@pytest.mark.parametrize("size", [(128, 128), (96, 128), (320, 256)])
def test_the_landmarks_of_another_alignment_come_to_lie_on_our_template(size):
    width, height = size
    theirs = ALIGNMENTS["hri_face_detect"]
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in np.array((width, height)) / 2 + (theirs - 0.5) * height:
        cv2.circle(image, (round(x), round(y)), max(height // 40, 2), (255, 255, 255), -1)
    ours = realigned_face(image, theirs)
    dots = cv2.connectedComponentsWithStats((ours[..., 0] > 100).astype(np.uint8))[3][1:]
    expected = TEMPLATE * ALIGNED_SIZE
    assert len(dots) == len(expected)
    # The two templates differ in more than a similarity by a pixel.
    for landmark in expected:
        assert np.linalg.norm(dots - landmark, axis=1).min() < 3
