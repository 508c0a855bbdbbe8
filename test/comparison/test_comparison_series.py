import numpy as np
import pytest
from made_answers import LEFT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.comparison.series import comparison_series


def compared(old, new, **how):
    return compare_recordings(
        *(made_answers({"face1": (LEFT, course)}, name=name, **how) for name, course in (("old", old), ("new", new)))
    )


def test_agreement_over_time_is_that_of_each_bin():
    series = comparison_series(compared(["happy"] * 100, ["happy"] * 25 + ["sad"] * 25 + ["happy"] * 50))
    assert series.width == 0.5
    assert series.starts.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert series.answers.sum() == 100
    assert series.agreement == pytest.approx([1, 1, 0, 0, 1, 1, 1, 1], abs=0.1)


def test_a_bin_without_answers_is_not_a_number():
    course = ["happy"] * 25 + [None] * 50 + ["happy"] * 25
    series = comparison_series(compared(course, course))
    assert np.isnan(series.agreement).tolist() == [False, False, True, True, True, True, False, False]
    assert (series.answers == 0).tolist() == np.isnan(series.valence).tolist()


@pytest.mark.parametrize("seconds", [1, 59, 60, 61, 3600, 100_000, 200_000])
def test_there_are_never_more_than_120_bins(seconds):
    course = ["happy"] * min(seconds + 1, 400)
    series = comparison_series(compared(course, course, fps=(len(course) - 1) / seconds))
    assert 2 <= len(series.starts) <= 120
    assert series.answers.sum() == len(course)
