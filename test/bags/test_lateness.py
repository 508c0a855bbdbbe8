import pytest

from dfer_ros.bags.player import lateness


def test_figures_are_in_milliseconds():
    figures = lateness([index * 1e-3 for index in range(101)])
    assert (figures.median, figures.p99, figures.most) == pytest.approx((50.0, 99.0, 100.0))
    assert str(figures) == "50.0 ms late (median), 99.0 ms (99th percentile), 100.0 ms at most"


def test_one_message_is_enough():
    assert lateness([0.002]).p99 == pytest.approx(2.0)
