import re

import numpy as np
import pytest

from dfer_ros.report.svg_paths import (
    area_path,
    band_path,
    bar_path,
    dot_path,
    line_path,
    rule_path,
    step_path,
    stretches,
)

NAN = float("nan")


def points_of(path):
    """Return where the pen of each subpath of M, V, H, h, v, l and z goes."""
    subpaths, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MVHhvlz])([^MVHhvlz]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
            subpaths.append([(x, y)])
        elif command == "z":
            x, y = subpaths[-1][0]
        for dx, dy in zip(values[::2], values[1::2]) if command == "l" else ():
            x, y = x + dx, y + dy
            subpaths[-1].append((x, y))
        if command in "HhVv":
            (value,) = values
            x = value if command == "H" else x + value if command == "h" else x
            y = value if command == "V" else y + value if command == "v" else y
            subpaths[-1].append((x, y))
    return subpaths


def test_an_area_follows_its_values_and_returns_to_its_base():
    (area,) = points_of(area_path(np.array([0.5, 1.0, 0.2]), 10, 100))
    assert area == [(0, 100), (0, 95), (1, 90), (2, 98), (3, 98), (3, 100)]


def test_steps_of_the_same_slope_become_one():
    assert area_path(np.full(1000, 0.5), 10, 10) == "M0 10V5l999 0h1V10z"


def test_gaps_and_zeros_part_an_area():
    areas = points_of(area_path(np.array([0.5, NAN, 0.5, 0.0, 0.5]), 10, 10))
    assert [area[0][0] for area in areas] == [0, 2, 4]


def test_a_line_goes_through_its_values_and_stops_at_gaps():
    first, second = points_of(line_path(np.array([-1.0, 1.0, NAN, 0.0]), 10, 50))
    assert first == [(0, 60), (1, 40), (2, 40)]
    assert second == [(3, 50), (3, 50), (4, 50)]


def test_a_band_lies_between_its_lines():
    low, high = np.array([0.0, 0.2, 0.1]), np.array([0.5, 0.6, 0.1])
    (band,) = points_of(band_path(low, high, 10, 10))
    assert band == [(0, 5), (1, 4), (2, 9), (3, 9), (3, 9), (2, 9), (1, 8), (0, 10)]


def test_bars_lie_where_they_should():
    assert bar_path(np.array([True, True, False, True]), 3, 7) == "M0 3h2v7h-2zM3 3h1v7h-1z"
    assert step_path(np.array([1, 1, 2, 0]), np.array([5, 5, 4, 0])) == "M0 1h2v5h-2zM2 2h1v4h-1z"


def test_rules_and_dots_lie_where_they_should():
    mask = np.array([True, True, False, True])
    assert rule_path(mask, 8) == "M0 8H2M3 8H4"
    assert dot_path(mask, 8) == "M0.5 8h0M1.5 8h0M3.5 8h0"


@pytest.mark.parametrize(("mask", "expected"), [([0, 0], []), ([1, 1], [(0, 2)]), ([0, 1, 0, 1], [(1, 2), (3, 4)])])
def test_stretches(mask, expected):
    assert stretches(np.array(mask, dtype=bool)) == expected
