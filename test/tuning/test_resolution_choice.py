"""Accuracy, budget and the choice of an input size."""

import json

import pytest

from dfer_ros.core.errors import DferError, ModelError
from dfer_ros.tuning.accuracy import SizeAccuracy, StillsAccuracy, accuracy_by_size
from dfer_ros.tuning.budget import FrameCost, encoder_budget_ms, graph_latency_ms, transport_ms
from dfer_ros.tuning.choice import ResolutionOption, choose

UAR = {64: 66.9, 72: 67.5, 80: 68.9, 88: 69.1, 96: 70.3, 104: 70.2, 112: 70.1, 128: 69.2}


def option(size, latency_ms, uar=None, precision="int8"):
    accuracy = None if uar is None else SizeAccuracy("int8", {"stills": StillsAccuracy(uar, uar)})
    return ResolutionOption(precision, "CPUExecutionProvider", size, latency_ms, accuracy)


OPTIONS = [option(size, size / 64, uar) for size, uar in UAR.items()]


def test_the_cheapest_of_the_best_is_recommended_and_the_largest_named_beside_it():
    choice = choose(OPTIONS, 40.0)
    assert (choice.recommended.size, choice.largest.size) == (96, 128)
    assert choice.reason.startswith("Beyond 96 pixels accuracy does not grow by more than 0.5 points")


def test_within_a_small_budget_what_differs_by_less_than_the_tolerance_is_equal():
    assert choose(OPTIONS, 88 / 64).recommended.size == 80
    assert choose(OPTIONS, 88 / 64).largest.size == 88
    assert choose(OPTIONS, 88 / 64, tolerance=0.0).recommended.size == 88


def test_the_faster_precision_of_the_same_size_wins():
    choice = choose([option(96, 2.0, 70.3, "fp32"), *OPTIONS, option(128, 3.9, 69.2, "fp32")], 40.0)
    assert choice.recommended.precision == choice.largest.precision == "int8"


def test_without_accuracy_the_largest_is_taken_and_said_so():
    choice = choose([option(64, 1.0), option(72, 1.2), option(80, 1.4)], 1.3)
    assert choice.recommended == choice.largest == option(72, 1.2)
    assert "does not say how accurate" in choice.reason


def test_a_size_whose_accuracy_is_not_known_is_not_recommended_before_one_that_is():
    choice = choose([*OPTIONS, option(120, 1.9)], 1.95)
    assert (choice.recommended.size, choice.largest.size) == (96, 120)
    assert "best accuracy that is known" in choice.reason


def test_a_budget_below_the_cheapest_resolution_is_refused_with_it():
    with pytest.raises(DferError, match=r"below its cheapest resolution, 64 pixels with int8 .* in 1 ms"):
        choose(OPTIONS, 0.5)


def metrics(**sets):
    return {"stills_by_input_size": sets}


def test_accuracy_is_read_where_all_data_sets_have_it():
    first = {"int8": {64: {"war": 57.4, "uar": 57.3}, 96: {"war": 61.7, "uar": 61.6}}}
    second = {"int8": {96: {"war": 85.2, "uar": 79.1}}}
    accuracy = accuracy_by_size(metrics(affectnet7=first, ferplus=second), "fp32")
    assert list(accuracy) == [96]
    assert accuracy[96].precision == "int8"
    assert accuracy[96].mean_uar == pytest.approx(70.35)
    assert accuracy[96].sets["ferplus"] == StillsAccuracy(85.2, 79.1)


def test_a_precision_that_was_measured_gets_its_own_figures():
    rows = {"int8": {96: {"war": 60, "uar": 60}}, "fp32": {96: {"war": 61, "uar": 61}}}
    assert accuracy_by_size(metrics(stills=rows), "fp32")[96].mean_uar == 61
    assert accuracy_by_size({"stills": {}}, "fp32") == {}


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"stills": {}},
        {"stills": {"int8": 3}},
        {"stills": {"int8": {96: {"war": 60}}}},
        {"stills": {"int8": {"small": {"war": 60, "uar": 60}}}},
        {"stills": {"int8": {96: {"war": 60, "uar": 600}}}},
        {"stills": {"int8": {96: {"war": 60, "uar": float("nan")}}}},
        {"one": {"int8": {96: {"war": 60, "uar": 60}}}, "two": {"fp32": {96: {"war": 60, "uar": 60}}}},
    ],
)
def test_figures_that_do_not_follow_the_contract_are_refused(content):
    with pytest.raises(ModelError, match=r"stills_by_input_size of model.yaml does not follow the contract"):
        accuracy_by_size({"stills_by_input_size": content}, "int8")


def test_the_budget_of_a_frame_rate_is_what_the_rest_leaves():
    assert encoder_budget_ms(25.0, FrameCost(5.0, 3.0, 2.0)) == pytest.approx(30.0)
    with pytest.raises(DferError, match="leave nothing for the encoder: lower --frame-rate"):
        encoder_budget_ms(100.0, FrameCost(5.0, 3.0, 2.0))


def test_transport_is_the_rest_of_the_graphs_latency_and_never_below_zero():
    assert transport_ms(7.9, 4.0, 0.6, 0.1) == pytest.approx(3.2)
    assert transport_ms(4.0, 4.0, 0.6, 0.1) == 0.0


def test_the_graphs_latency_is_that_of_as_many_faces_with_shared_memory(tmp_path):
    rows = [
        {"name": "one_face", "faces": 1, "shared_memory": True, "p50_ms": 7.9},
        {"name": "default", "faces": 1, "shared_memory": False, "p50_ms": 19.0},
        {"name": "eight_faces", "faces": 8, "shared_memory": True, "p50_ms": float("nan")},
    ]
    path = tmp_path / "bench_graph.json"
    path.write_text(json.dumps({"machine": {}, "results": rows}))
    assert graph_latency_ms(path, 1) == 7.9
    with pytest.raises(DferError, match="no latency with 8 faces and shared memory"):
        graph_latency_ms(path, 8)
    with pytest.raises(DferError, match="no latency with 3 faces"):
        graph_latency_ms(path, 3)


@pytest.mark.parametrize("text", ["", "[]", '{"results": 3}', '{"results": [{"faces": 1}]}'])
def test_a_file_that_is_no_bench_of_the_graph_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(DferError, match="is not a JSON file of 'dfer bench graph'"):
        graph_latency_ms(path, 1)
    with pytest.raises(DferError, match="cannot be read"):
        graph_latency_ms(tmp_path / "missing.json", 1)
