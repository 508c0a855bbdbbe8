import json

import numpy as np
import pytest
from made_answers import KEYS

from dfer_ros.core.emotion import PHASES, Emotion
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.recordings.answer_file import answer_line, answer_object

PROBABILITIES = np.array([0.1, 0.6123456, 0.05, 0.05, 0.1, 0.05, 0.0376544], np.float32)


def emotion(**changes):
    fields = {
        "face_id": "face3",
        "expression": "surprised",
        "confidence": 0.6123456,
        "probabilities": PROBABILITIES,
        "valence": 0.5,
        "arousal": -0.25,
        "intensity": 0.9,
        "phase": 0,
        "window_seconds": 1.96666667,
        "window_frames": 30,
        "secondary": "happy",
        "secondary_confidence": 0.3123456,
    }
    return Emotion(**(fields | changes))


def test_an_answer_has_the_keys_of_the_design_in_their_order():
    assert list(answer_object(1.0, 30, (1, 2, 3, 4), emotion())) == KEYS


def test_a_line_is_json_with_the_values_of_the_face():
    line = answer_line(answer_object(12.34567891, 30, (1, 2, 3, 4), emotion()))
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "stamp": 12.345679,
        "frame": 30,
        "face_id": "face3",
        "roi": [1, 2, 3, 4],
        "expression": "surprised",
        "confidence": 0.61235,
        "probabilities": {
            "neutral": 0.1,
            "happy": 0.61235,
            "sad": 0.05,
            "angry": 0.05,
            "surprised": 0.1,
            "scared": 0.05,
            "disgusted": 0.03765,
        },
        "valence": 0.5,
        "arousal": -0.25,
        "secondary": "happy",
        "secondary_confidence": 0.31235,
        "intensity": 0.9,
        "phase": "unknown",
        "window_seconds": 1.96667,
        "window_frames": 30,
    }


def test_probabilities_go_by_expression_in_the_order_of_the_labels():
    answer = answer_object(0.0, 0, (0, 0, 0, 0), emotion())
    assert tuple(answer["probabilities"]) == EXPRESSIONS
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("phase", "name"), list(enumerate(["unknown", "neutral", "onset", "apex", "offset"])))
def test_a_phase_is_told_by_name(phase, name):
    assert PHASES[phase] == name
    assert answer_object(0.0, 0, (0, 0, 0, 0), emotion(phase=phase))["phase"] == name


def test_stamps_since_1970_keep_their_microseconds():
    assert answer_object(1700000000.123456, 0, (0, 0, 0, 0), emotion())["stamp"] == 1700000000.123456
