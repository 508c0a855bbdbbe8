import re
from itertools import pairwise

import pytest

from dfer_ros.report.ticks import WIDTHS, round_steps, time_ticks
from dfer_ros.report.time_bins import TimeAxis


def labels_at(level, html):
    """Return the place (share of the axis) and the label of each mark that is shown at one of WIDTHS."""
    found = re.findall(rf'class="tick [^"]*\bw{level}\b[^"]*" style="left:([\d.]+)%">([\d:.]+)<', html)
    return [(float(left) / 100, label) for left, label in found]


@pytest.mark.parametrize("seconds", [0.03, 1.0, 12.9, 90.0, 3600.0, 40_000.0, 1.7e9])
def test_at_every_width_there_are_some_marks_but_not_too_many(seconds):
    html = time_ticks(TimeAxis(5.0, 5.0 + seconds, 100, seconds / 100))
    for level, width in enumerate(WIDTHS):
        shown = re.findall(rf'class="tick [^"]*\bw{level}\b[^"]*" style="left:([\d.]+)%"', html)
        assert 1 <= len(shown) <= max(width, 230) / 75 + 1
        assert all(0 <= float(left) <= 100 for left in shown)


@pytest.mark.parametrize("seconds", [3.0, 20.0, 140.0, 3600.0, 208_800.0])
def test_no_label_is_cut_off_at_the_end_of_the_axis(seconds):
    html = time_ticks(TimeAxis(0.0, seconds, 100, seconds / 100))
    for level, width in enumerate(WIDTHS):
        for left, label in labels_at(level, html):
            assert (1 - left) * max(width, 160) >= 8 * len(label)


def test_labels_do_not_run_into_each_other_after_a_stamp_of_another_clock():
    html = time_ticks(TimeAxis(0.0, 1.7e9, 100, 1.7e7))
    for level, width in enumerate(WIDTHS):
        for (left, label), (following, _) in pairwise(labels_at(level, html)):
            assert (following - left) * max(width, 160) >= 8 * len(label)


@pytest.mark.parametrize(("top", "most"), [(1.0, 5), (37.0, 6), (0.004, 6), (2000.0, 4)])
def test_round_steps_are_few_and_round(top, most):
    steps = round_steps(top, most)
    assert steps[0] == 0.0
    assert 2 <= len(steps) <= most + 1
    assert steps[-1] <= top * 1.001
