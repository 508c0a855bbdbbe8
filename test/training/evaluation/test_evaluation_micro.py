"""How well micro-expressions are found: put into calm faces at known moments, and in clips as they were recorded."""

import numpy as np
import pytest

from dfer_ros.core.alignment import align_face
from dfer_ros.core.labels import LABELS
from dfer_ros.recordings.demo_clip import _unhappy
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.evaluation.micro_expressions import SIZES, THRESHOLDS, micro_figures, motion_to_apex, put_in


def clip(name, label, source, crops, kind=""):
    stamps = np.arange(len(crops)) / 30
    return ClipFaces(name, LABELS.index(label), source, name, crops, stamps, np.ones(len(crops), np.float32), kind)


@pytest.fixture(scope="module")
def sequence(portrait, portrait_landmarks):
    """From the smile of the portrait to an unhappy face, as a sequence of CK+ goes from neutral to the apex."""
    looks = [align_face(_unhappy(portrait, size), portrait_landmarks) for size in (0.01, 0.15, 0.3)]
    return clip("onset", "sad", "ckplus", looks)


@pytest.fixture(scope="module")
def calm(aligned_crop):
    noise = np.random.default_rng(0)
    crops = [np.clip(aligned_crop + noise.normal(0, 2, (128, 128, 3)), 0, 255).astype(np.uint8) for _ in range(75)]
    return clip("calm", "neutral", "made", crops, "spontaneous")


def test_the_motion_to_the_apex_makes_the_apex_of_the_neutral_face(sequence):
    neutral, apex = (sequence.crops[index].astype(int) for index in (0, 2))
    motion = motion_to_apex(sequence)
    face = (slice(50, 115), slice(35, 95))

    def distance(size):
        (made,) = put_in([sequence.crops[0]], np.array([size]), motion)
        return np.abs(made.astype(int) - apex)[face].mean()

    assert min(distance(size) for size in (2.0, 3.0, 4.0)) < 0.6 * np.abs(neutral - apex)[face].mean()
    assert put_in([sequence.crops[0]], np.zeros(1), motion)[0] is sequence.crops[0]


def test_the_larger_the_motion_the_more_is_found_and_a_calm_face_stays_calm(sequence, calm, recognizer):
    micro = clip("micro", "angry", "made", calm.crops, "micro")
    figures = {(row.group, row.threshold): row for row in micro_figures([sequence, calm, micro], recognizer)}
    assert len(figures) == (len(SIZES) + 2) * len(THRESHOLDS)
    for threshold in THRESHOLDS:
        found = [figures[f"{size:g} px put in", threshold].found for size in SIZES]
        assert found == sorted(found) and found[-1] == 2
        largest = figures[f"{SIZES[-1]:g} px put in", threshold]
        assert (largest.inserted, largest.invented, largest.precision, largest.recall, largest.f1) == (2, 0, 1, 1, 1)
        assert largest.apex_error < 0.05
        for group in ("calm", "micro"):
            row = figures[group, threshold]
            assert (row.videos, row.inserted, row.invented, row.f1) == (1, 0, 0, None)
