"""The tables of `dfer bench graph`, from made results."""

from dataclasses import replace

import pytest

from dfer_ros.bench.graph import GraphResult, scenarios
from dfer_ros.cli.bench_tables import graph_comparison, graph_table
from dfer_ros.text.tables import markdown_table

MEASURED = GraphResult("one process", 300, 300, 30.0, 8.0, 12.0, 14.0, 25.0, 330.0, 1.0, 1.4)


def test_the_ways_of_a_scenario_stand_below_each_other_with_their_ratios():
    (scenario,) = scenarios(["one_face"], 10.0, 0.0, "")
    bare = replace(MEASURED, way="bare chain", p50_ms=10.0, p95_ms=12.0, cpu_percent=50.0)
    rows = markdown_table(graph_table([(scenario, bare), (scenario, MEASURED)])).splitlines()
    assert rows[2].startswith("| one_face | bare chain | 300/300 | 10.0 (1.25) | 12.0 | 14.0 | 50.0 (2.00) |")
    assert rows[3].startswith("|  | one process | 300/300 | 8.0 | 12.0 | 14.0 | 25.0 |")


def compared(**changes):
    before = {"name": "one_face", **vars(MEASURED)}
    (row,) = graph_comparison([before], [before | changes]).rows
    return {heading: cell.text for heading, cell in zip(("answered", "p50", "p95"), row[2:5]) if cell.style == "red"}


@pytest.mark.parametrize(
    ("changes", "worse"),
    [
        ({}, {}),
        ({"p50_ms": 8.7, "p95_ms": 6.0, "answered": 280}, {}),
        ({"p95_ms": 14.4}, {"p95": "1.20"}),
        ({"answered": 240}, {"answered": "80%"}),
        (
            {"answered": 0, "p50_ms": float("nan"), "p95_ms": float("nan")},
            {"answered": "0%", "p50": "nan", "p95": "nan"},
        ),
    ],
)
def test_what_became_worse_than_in_an_earlier_run_is_red(changes, worse):
    assert compared(**changes) == worse


def test_a_way_that_the_earlier_run_did_not_measure_is_left_out():
    now = {"name": "one_face", **vars(MEASURED)}
    assert not graph_comparison([now | {"way": "two processes"}], [now]).rows
