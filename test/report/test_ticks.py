import re
from itertools import pairwise

import pytest

from dfer_ros.report.ticks import WIDTHS, round_steps, time_ticks
from dfer_ros.report.time_bins import TimeAxis
from dfer_ros.report.wording import clock, clock_units, length, listing, pace, percent, plural, short_length, time_unit


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


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (clock(7), "0:07"),
        (clock(59.96, 1), "1:00.0"),
        (clock(3723.45, 2), "1:02:03.45"),
        (clock(-0.5, 1), "-0:00.5"),
        (length(0.351), "0.35 s"),
        (length(59.97), "1 min 00 s"),
        (length(3599.9), "1 h 00 min"),
        (length(208_800), "58 h 00 min"),
        (length(360_000), "4 d 04 h"),
        (short_length(1 / 30), "33.3 ms"),
        (short_length(0.99999), "1.00 s"),
        (short_length(3600), "1 h 00 min"),
        (pace(1 / 30), "30.0 Hz"),
        (pace(3600), "one every 1 h 00 min"),
        (time_unit(0.0333)[0], "ms"),
        (time_unit(3600)[0], "min"),
        (time_unit(90_000)[0], "h"),
        (clock_units(3599), "min:s"),
        (clock_units(3600), "h:min:s"),
        (percent(0.0), "0 %"),
        (percent(0.004), "<1 %"),
        (percent(0.996), ">99 %"),
        (percent(0.64), "64 %"),
        (plural(1, "person", "people"), "1 person"),
        (plural(1200, "frame"), "1,200 frames"),
        (listing(["a", "b", "c"]), "a, b and c"),
        (listing(["a"]), "a"),
        (listing([]), ""),
    ],
)
def test_numbers_are_worded_as_people_read_them(words, expected):
    assert words.replace("\u00a0", " ") == expected
