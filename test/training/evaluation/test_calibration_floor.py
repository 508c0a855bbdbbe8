"""The calibration error of exactly calibrated answers."""

import numpy as np
import pytest

from dfer_ros.training.evaluation.calibration import calibration_floor, expected_calibration_error


def answers(clips, frames, seed=0):
    """Return probabilities [T, 7] of clips whose frames all say the same."""
    chance = np.random.default_rng(seed)
    return [np.repeat(row[None], frames, axis=0) for row in chance.dirichlet(np.full(7, 0.5), size=clips)]


def test_few_clips_leave_an_error_and_many_leave_none():
    few, many = calibration_floor(answers(20, 10)), calibration_floor(answers(3000, 2))
    assert few.mean > 0.1
    assert many.mean < 0.03
    assert few.lower < few.mean < few.upper


def test_more_frames_of_the_same_clips_change_nothing():
    assert calibration_floor(answers(20, 2)).mean == pytest.approx(calibration_floor(answers(20, 30)).mean)


def test_answers_with_labels_drawn_from_them_lie_within_and_overconfident_ones_beyond():
    clips = answers(200, 3)
    floor = calibration_floor(clips)
    chance = np.random.default_rng(1)
    labels = np.repeat([chance.choice(7, p=one[0]) for one in clips], 3)
    rows = np.concatenate(clips)
    assert floor.lower <= expected_calibration_error(rows, labels) <= floor.upper
    sharpened = rows**4 / (rows**4).sum(axis=1, keepdims=True)
    assert expected_calibration_error(sharpened, labels) > floor.upper
