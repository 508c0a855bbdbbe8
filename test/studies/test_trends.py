"""A patient who slows is found, one who does not is not."""

import gc
from dataclasses import replace

import numpy as np
import pytest
from made_sessions import patient

from dfer_ros.core.errors import DataError
from dfer_ros.studies.measures import MEASURES, ONSET_SPEED, PER_MINUTE
from dfer_ros.studies.trends import compare_conditions, find_trends, holm

SEEDS = range(100)


@pytest.fixture(scope="module", autouse=True)
def frozen_garbage():
    """Each correction of p-values in statsmodels collects garbage: not among all that was loaded before."""
    find_trends(patient(0))
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def slowing():
    """Return the trends of a hundred patients whose onset slows by a fifth over ten sessions."""
    return [find_trends(patient(seed, slowing=0.2)) for seed in SEEDS]


@pytest.fixture(scope="module")
def steady():
    """Return the trends of a hundred patients who do not change."""
    return [find_trends(patient(1000 + seed)) for seed in SEEDS]


def onset(trends):
    return next(trend for trend in trends if trend.measure is ONSET_SPEED)


def test_an_onset_that_slows_by_a_fifth_is_found(slowing):
    assert sum(onset(trends).found for trends in slowing) >= 80
    assert sum(onset(trends).p < 0.05 for trends in slowing) >= 95


def test_its_size_is_right_and_its_interval_holds_it(slowing):
    assert np.median([onset(trends).change for trends in slowing]) == pytest.approx(-0.2, abs=0.02)
    assert sum(onset(trends).low <= -0.2 <= onset(trends).high for trends in slowing) >= 90


def test_who_does_not_change_is_not_found(steady):
    assert sum(any(trend.found for trend in trends) for trends in steady) <= 10
    assert sum(onset(trends).p < 0.05 for trends in steady) <= 10


def test_every_measure_has_a_trend(steady):
    assert [trend.measure for trend in steady[0]] == list(MEASURES)
    assert all(trend.p_corrected >= trend.p for trend in steady[0])


def test_sessions_that_share_no_expression_are_not_compared():
    kinds = [("sad",) * 60] * 5 + [("happy",) * 60] * 5
    values = [
        replace(one, expressions=kinds[index % 10]) if one.measure.each else one for index, one in enumerate(patient(5))
    ]
    trends = {trend.measure: trend for trend in find_trends(values)}
    assert trends[ONSET_SPEED].sessions == 5
    assert trends[PER_MINUTE].sessions == 10
    assert find_trends([one for one in values if int(one.session[1:]) in (2, 3, 4, 5, 6) and one.measure.each]) == []


def test_three_sessions_are_too_few():
    assert find_trends(patient(0, sessions=3)) == []


def test_two_conditions_are_compared_with_an_effect_size():
    values = [*patient(1), *patient(2, slowing=0.0)]
    conditions = {f"s{index:02}": "at home" if index < 5 else "in the clinic" for index in range(10)}
    slower = patient(3)
    for value in slower:
        if value.measure is ONSET_SPEED and conditions[value.session] == "in the clinic":
            value.values[:] *= 0.8
    different = {one.measure: one for one in compare_conditions(slower, conditions)}
    assert different[ONSET_SPEED].p_corrected < 0.05
    assert different[ONSET_SPEED].effect > 1.0
    assert (different[ONSET_SPEED].first, different[ONSET_SPEED].sessions) == ("at home", (5, 5))
    assert sum(one.p_corrected < 0.05 for one in compare_conditions(values[: len(values) // 2], conditions)) == 0


@pytest.mark.parametrize("conditions", [{}, {"s00": "a", "s01": "b", "s02": "c"}, {"s00": "a", "s01": "b"}])
def test_what_cannot_be_compared_is_refused(conditions):
    with pytest.raises(DataError):
        compare_conditions(patient(0), conditions)


def test_holm_is_what_holm_says():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
