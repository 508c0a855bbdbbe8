"""LBP-TOP, HOG and flow histograms on volumes of known texture and motion, and as rows beside the recogniser."""

import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import align_face
from dfer_ros.core.labels import LABELS
from dfer_ros.recordings.demo_clip import _unhappy
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.experiments.descriptors import SIDE, describe, flow_histogram, hog, lbp_top
from dfer_ros.training.experiments.handcrafted import COSTS, LEAST_CLIPS, handcrafted_figures


def moving(shift, frames=8):
    """Return a volume of smooth noise whose right half moves by so many pixels (x, y) a frame."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE)).astype(np.float32), (0, 0), 2)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    volume = []
    for frame in range(frames):
        transform = np.float32([[1, 0, frame * shift[0]], [0, 1, frame * shift[1]]])
        moved = cv2.warpAffine(texture, transform, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
        moved[:, : SIDE // 2 + 8] = texture[:, : SIDE // 2 + 8]
        volume.append(moved.astype(np.uint8))
    return np.stack(volume)


@pytest.mark.parametrize(("shift", "direction"), [((0.6, 0), (0, 7)), ((-0.6, 0), (3, 4)), ((0, 0.6), (1, 2))])
def test_flow_histograms_tell_where_and_in_which_direction_something_moves(shift, direction):
    blocks = flow_histogram(moving(shift)).reshape(4, 4, 9)
    assert blocks[1:3, 3, direction].sum(axis=-1).min() > 0.8
    assert blocks[1:3, 3, 8].min() > 5 * blocks[1:3, 0, 8].max()


def test_lbp_top_sees_motion_in_its_planes_of_time_only():
    still, rightwards = (lbp_top(moving(shift)).reshape(3, 16, 59) for shift in ((0, 0), (0.6, 0)))
    assert still.sum(axis=2) == pytest.approx(1.0)
    change = np.abs(rightwards - still).sum(axis=2)
    right, left = change[:, [3, 7, 11, 15]], change[:, [0, 4, 8, 12]]
    assert left == pytest.approx(0.0)
    # Axis 1 has the columns and time in its planes, axis 0 the columns and rows.
    assert right[1].mean() > 2 * right[0].mean()


def test_hog_of_a_still_volume_is_that_of_its_frame_and_one_frame_is_enough():
    volume = moving((0, 0))
    assert hog(volume) == pytest.approx(hog(volume[:1]), abs=1e-6)
    assert describe(volume[:1]).shape == (3 * 16 * 59 + 1764 + 16 * 9,)


def test_clips_of_two_looks_are_told_apart_by_every_way_and_chance_is_chance(portrait, portrait_landmarks, recognizer):
    noise = np.random.default_rng(0)
    clips = []
    for label, size in (("happy", 0.01), ("sad", 1.0)):
        look = align_face(_unhappy(portrait, size), portrait_landmarks)
        for index in range(LEAST_CLIPS):
            crops = [np.clip(look + noise.normal(0, 4, look.shape), 0, 255).astype(np.uint8) for _ in range(4)]
            person = f"person{index % 5}"
            stamps, quality = np.arange(4) / 30, np.ones(4, np.float32)
            name = f"{label}{index}"
            clips.append(ClipFaces(name, LABELS.index(label), "made", person, crops, stamps, quality, "micro"))
    rare = ClipFaces("rare", LABELS.index("fear"), "made", "person0", clips[0].crops, stamps, quality, "micro")
    rows = {row.way: row for row in handcrafted_figures([*clips, rare], recognizer, weights=7)}
    assert len(rows) == 4 * len(COSTS) + 4
    assert {row.number for row in rows.values()} == {2 * LEAST_CLIPS}
    assert all(rows[f"{way}, C {cost:g}"].uar == 1.0 for way in ("LBP-TOP", "HOG", "all three") for cost in COSTS)
    assert rows["HOG, C 0.01"].bytes == 4 * 2 * (1764 + 1)
    assert rows["chance, median"].uar == pytest.approx(0.5, abs=0.05) and rows["chance, 97.5 %"].uar < 0.8
    assert rows["recogniser, all classes"].bytes == 7
