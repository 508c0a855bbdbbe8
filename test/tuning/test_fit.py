"""The curves of latency over input size."""

import numpy as np
import pytest
from hypothesis import given, strategies
from scipy.interpolate import lagrange
from sklearn.isotonic import isotonic_regression

from dfer_ros.tuning.latency_curve import (
    LatencyCurve,
    lagrange_fit,
    largest_within,
    leave_one_out,
    monotone_fit,
    non_decreasing,
)

SIZES = (64, 72, 80, 88, 96, 104, 112, 120, 128)
BETWEEN = np.linspace(SIZES[0], SIZES[-1], 500)
LATENCIES = strategies.lists(strategies.floats(0.1, 100), min_size=len(SIZES), max_size=len(SIZES))


def test_the_polynomial_is_that_of_lagrange():
    times = [1.0, 1.4, 1.7, 2.3, 2.6]
    expected = lagrange(SIZES[:5], times)
    places = np.linspace(64, 96, 50)
    assert np.allclose(lagrange_fit(SIZES[:5], times)(places), expected(places), rtol=1e-6)


@given(LATENCIES)
def test_the_monotone_curve_never_falls_and_stays_among_the_measurements(times):
    curve = monotone_fit(SIZES, times)(BETWEEN)
    assert np.diff(curve).min() >= -1e-9 * max(times)
    assert min(times) - 1e-9 <= curve.min() and curve.max() <= max(times) + 1e-9


@given(LATENCIES)
def test_isotonic_regression_is_that_of_scikit_learn(times):
    assert np.allclose(non_decreasing(times), isotonic_regression(times))


def test_rising_measurements_lie_on_both_curves():
    times = [0.01 * size**1.5 for size in SIZES]
    assert np.allclose(monotone_fit(SIZES, times)(SIZES), times)
    assert np.allclose(lagrange_fit(SIZES, times)(SIZES), times)


def test_one_noisy_measurement_makes_the_polynomial_swing_and_the_monotone_curve_not():
    truth = [size**2 / 4096 for size in SIZES]
    noisy = [*truth[:4], truth[4] * 1.15, *truth[5:]]
    between = BETWEEN**2 / 4096
    swing = np.abs(lagrange_fit(SIZES, noisy)(BETWEEN) / between - 1).max()
    steady = np.abs(monotone_fit(SIZES, noisy)(BETWEEN) / between - 1).max()
    assert swing > 0.5
    assert steady < 0.16


def test_leave_one_out_predicts_from_the_others_and_leaves_the_ends_alone():
    times = [2.0 + (size / 64) ** 2 for size in SIZES]
    predictions = leave_one_out(lagrange_fit, SIZES, times)
    assert np.isnan(predictions[0]) and np.isnan(predictions[-1])
    assert predictions[1:-1] == pytest.approx(times[1:-1])  # a parabola is a polynomial
    without = [*times[:4], 50.0, *times[5:]]
    assert leave_one_out(monotone_fit, SIZES, without)[4] == leave_one_out(monotone_fit, SIZES, times)[4]


def test_the_largest_within_a_budget_may_just_reach_it():
    curve = monotone_fit(SIZES, [float(size) for size in SIZES])
    assert largest_within(curve, SIZES, 96.0) == 96
    assert largest_within(curve, SIZES, 95.9) == 88
    assert largest_within(curve, range(64, 129, 4), 95.0) == 92
    assert largest_within(curve, SIZES, 63.0) is None


def test_a_course_says_how_its_curve_came_about():
    rising = LatencyCurve("int8", "cpu", SIZES, tuple(float(size) for size in SIZES), SIZES)
    assert rising.method == "PCHIP"
    assert rising.largest(100.0) == (96, 96)
    falling = LatencyCurve("int8", "cpu", SIZES, (9.0, *rising.times_ms[1:5], 70.0, *rising.times_ms[6:]), SIZES)
    assert falling.method == "isotonic regression, then PCHIP"
    assert falling.predicted_ms(104) == pytest.approx(np.mean([88, 96, 70]))
