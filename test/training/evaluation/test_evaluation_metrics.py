import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.training.evaluation.calibration import (
    brier_score,
    calibration_metrics,
    expected_calibration_error,
    reliability_bins,
    selective_risk,
)
from dfer_ros.training.evaluation.metrics import bootstrap_intervals, classification_metrics


def drawn(count=500, seed=0):
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 7, count)
    predicted = np.where(chance.random(count) < 0.6, labels, chance.integers(0, 7, count))
    return predicted, labels


def certain(*confidences):
    """Return probabilities [N, 7] whose class 0 has these, class 1 the rest."""
    probabilities = np.zeros((len(confidences), 7))
    probabilities[:, 0] = confidences
    probabilities[:, 1] = 1 - probabilities[:, 0]
    return probabilities


def test_metrics_agree_with_scikit_learn():
    predicted, labels = drawn()
    metrics = classification_metrics(predicted, labels)
    assert metrics.uar == pytest.approx(balanced_accuracy_score(labels, predicted))
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(labels, predicted, average=average)
        assert getattr(metrics, f"{average}_f1") == pytest.approx(expected)
    np.testing.assert_allclose(metrics.recall, recall_score(labels, predicted, average=None))
    np.testing.assert_allclose(metrics.precision, precision_score(labels, predicted, average=None))
    assert metrics.micro_f1 == pytest.approx(metrics.accuracy)
    assert np.sum(metrics.confusion) == metrics.count == len(labels)
    assert np.trace(metrics.confusion) == pytest.approx(metrics.accuracy * len(labels))


def test_a_clip_without_a_face_is_a_wrong_answer():
    metrics = classification_metrics(np.array([0, -1, 1, 1]), np.array([0, 0, 1, 1]))
    assert metrics.accuracy == 0.75
    assert metrics.uar == 0.75
    assert metrics.recall[:2] == (0.5, 1.0)
    assert metrics.confusion[0][:2] == (1, 0)


def test_classes_that_do_not_occur_count_in_no_mean():
    metrics = classification_metrics(np.array([1, 1, 2]), np.array([1, 1, 1]))
    assert metrics.uar == pytest.approx(2 / 3)
    assert metrics.macro_f1 == pytest.approx(0.8)


def test_intervals_hold_the_value_and_repeat_with_their_seed():
    predicted, labels = drawn(60)
    metrics = classification_metrics(predicted, labels)
    intervals = bootstrap_intervals(predicted, labels, seed=3)
    assert intervals == bootstrap_intervals(predicted, labels, seed=3)
    assert intervals.accuracy.low < metrics.accuracy < intervals.accuracy.high
    # The standard error of a share of 60 answers; the interval is about two of them to each side.
    error = np.sqrt(metrics.accuracy * (1 - metrics.accuracy) / 60)
    assert intervals.accuracy.high - intervals.accuracy.low == pytest.approx(3.92 * error, rel=0.2)


def test_bins_and_their_error_by_hand():
    probabilities, labels = certain(0.9, 0.9, 0.9, 0.9, 0.6, 0.6), np.array([0, 0, 0, 1, 1, 1])
    low, high = reliability_bins(probabilities, labels)
    assert (low.count, low.accuracy, low.confidence) == (2, 0.0, pytest.approx(0.6))
    assert (high.count, high.accuracy, high.confidence) == (4, 0.75, pytest.approx(0.9))
    assert low.lower <= 0.6 <= low.upper and high.lower <= 0.9 <= high.upper
    assert expected_calibration_error(probabilities, labels) == pytest.approx((4 * 0.15 + 2 * 0.6) / 6)


def test_brier_score_by_hand():
    assert brier_score(certain(1.0), np.array([0])) == 0
    assert brier_score(certain(1.0), np.array([1])) == 2
    assert brier_score(certain(0.7), np.array([0])) == pytest.approx(0.3**2 + 0.3**2)


def test_risk_falls_where_errors_are_unsure():
    probabilities = certain(0.95, 0.9, 0.85, 0.8, 0.55)
    labels = np.array([0, 0, 0, 1, 1])
    risk = selective_risk(probabilities, labels, np.array([0.2, 0.6, 0.8, 1.0]))
    np.testing.assert_allclose(risk, [0, 0, 1 / 4, 2 / 5])


def test_risk_counts_weights():
    risk = selective_risk(certain(0.9, 0.6), np.array([1, 0]), np.array([0.5, 1.0]), np.array([3.0, 1.0]))
    np.testing.assert_allclose(risk, [1.0, 0.75])


def test_a_temperature_changes_confidence_and_no_answer():
    chance = np.random.default_rng(1)
    logits, labels = chance.normal(0, 2, (200, 7)).astype(np.float32), chance.integers(0, 7, 200)
    before = calibrated_probabilities(logits, 1.0)
    metrics = calibration_metrics(before, calibrated_probabilities(logits, 5.0), labels)
    assert metrics.error == pytest.approx(np.mean(logits.argmax(axis=1) != labels))
    assert metrics.ece < metrics.ece_before
    assert metrics.brier < metrics.brier_before
    assert metrics.ece_before == expected_calibration_error(before, labels)
    assert metrics.coverage[-1] == 1.0 and metrics.risk[-1] == pytest.approx(metrics.error)
    assert sum(one.weight for one in metrics.bins) == pytest.approx(1.0)
