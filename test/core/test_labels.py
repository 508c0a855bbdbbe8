import numpy as np
import pytest

from dfer_ros.core.labels import EXPRESSIONS, LABELS, NEUTRAL, UNKNOWN, VALENCE_AROUSAL


def test_the_classes_are_in_the_order_of_the_design():
    assert LABELS == ("neutral", "happy", "sad", "angry", "surprise", "fear", "disgust")


def test_the_names_on_the_wire_are_those_of_rep_155_in_the_same_order():
    assert EXPRESSIONS == ("neutral", "happy", "sad", "angry", "surprised", "scared", "disgusted")


def test_unknown_is_no_class():
    assert UNKNOWN == "unknown"
    assert UNKNOWN not in LABELS + EXPRESSIONS


def test_neutral_has_neither_valence_nor_arousal():
    assert VALENCE_AROUSAL.shape == (7, 2)
    assert VALENCE_AROUSAL[NEUTRAL].tolist() == [0.0, 0.0]
    assert np.abs(VALENCE_AROUSAL).max() <= 1.0


@pytest.mark.parametrize(
    ("label", "valence_sign", "arousal_sign"),
    [("happy", 1, 1), ("sad", -1, -1), ("angry", -1, 1), ("surprise", 1, 1), ("fear", -1, 1), ("disgust", -1, 1)],
)
def test_each_class_lies_in_its_quadrant_of_the_circumplex(label, valence_sign, arousal_sign):
    assert np.sign(VALENCE_AROUSAL[LABELS.index(label)]).tolist() == [valence_sign, arousal_sign]
