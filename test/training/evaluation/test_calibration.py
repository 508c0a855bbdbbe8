import numpy as np
import pytest

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.training.evaluation.calibration import calibration_floor, expected_calibration_error, fit_temperature

COUNT = 20_000


def drawn(temperature, seed=0):
    """Return logits [N, 7], and labels drawn by the probabilities that these have at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (COUNT, 7)).astype(np.float32)
    probabilities = calibrated_probabilities(logits, temperature).astype(np.float64)
    labels = (rng.random((COUNT, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 6)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 0.863, 1.0, 1.7, 3.0])
def test_the_temperature_that_made_the_labels_is_found_again(temperature):
    logits, labels = drawn(temperature)
    assert fit_temperature(logits, labels, np.ones(COUNT)) == pytest.approx(temperature, rel=0.05)


def test_rows_without_weight_do_not_count():
    honest, boastful = drawn(1.0, seed=1), drawn(3.0, seed=2)
    logits, labels = np.concatenate([honest[0], boastful[0]]), np.concatenate([honest[1], boastful[1]])
    weights = np.repeat((1.0, 0.0), COUNT)
    assert fit_temperature(logits, labels, weights) == pytest.approx(1.0, rel=0.05)
    assert fit_temperature(logits, labels, 1 - weights) == pytest.approx(3.0, rel=0.05)


def test_a_perfectly_calibrated_set_has_a_small_error():
    logits, labels = drawn(1.0)
    assert expected_calibration_error(calibrated_probabilities(logits, 1.0), labels) < 0.015


@pytest.mark.parametrize("temperature", [0.3, 3.0])
def test_too_sure_and_too_modest_probabilities_have_a_large_error(temperature):
    logits, labels = drawn(1.0)
    assert expected_calibration_error(calibrated_probabilities(logits, temperature), labels) > 0.1


def test_the_fitted_temperature_takes_the_error_away():
    logits, labels = drawn(2.5)
    fitted = fit_temperature(logits, labels, np.ones(COUNT))
    assert expected_calibration_error(calibrated_probabilities(logits, fitted), labels) < 0.015


def rows(*confidences):
    """Return probabilities whose class 0 has these, class 1 the rest."""
    probabilities = np.zeros((len(confidences), 7))
    probabilities[:, 0] = confidences
    probabilities[:, 1] = 1 - probabilities[:, 0]
    return probabilities


def test_the_error_of_a_small_set_is_what_it_is_by_hand():
    probabilities, labels = rows(0.9, 0.9, 0.9, 0.9, 0.6, 0.6), np.array([0, 0, 0, 1, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx((4 * 0.15 + 2 * 0.6) / 6)


def test_weights_count_in_the_error():
    probabilities, labels = rows(0.9, 0.6), np.array([0, 1])
    assert expected_calibration_error(probabilities, labels, np.array([3.0, 1.0])) == pytest.approx(
        (3 * 0.1 + 1 * 0.6) / 4
    )


def test_certain_and_right_has_no_error():
    assert expected_calibration_error(rows(1.0, 1.0), np.array([0, 0])) == 0.0


def test_accuracy_weighs_answers_and_average_recall_weighs_classes():
    labels, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 0, 1])
    assert accuracy(predicted, labels) == pytest.approx(4 / 6)
    assert unweighted_average_recall(predicted, labels) == pytest.approx((0.75 + 0.5) / 2)


def test_classes_that_do_not_occur_do_not_lower_the_recall():
    assert unweighted_average_recall(np.array([0, 1]), np.array([0, 0])) == 0.5


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
