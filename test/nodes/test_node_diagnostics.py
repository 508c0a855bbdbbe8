"""What the two nodes say of themselves on /diagnostics."""

import re
import time

import pytest
from status_values import values
from test_lifecycle import MANAGED, change, enable

from dfer_ros.ros.waiting import wait_until


def test_every_frame_is_counted_and_every_drop_has_its_reason(nodes, probe, clip, diagnostics):
    nodes.start("face_detector_node")
    camera = probe.publisher()
    probe.wait_for_graph(emotions=False)
    probe.feed(clip[:10], probe.faces, [100.0 + index / 20 for index in range(10)])
    name = "face_detector_node: image"
    assert wait_until(lambda: name in diagnostics and values(diagnostics[name])["faces"] == "1")
    for count, stamp in ((11, 100.2), (12, 100.25)):  # two that come late
        camera.publish(probe.image(clip[0], stamp))
        assert wait_until(lambda: values(diagnostics[name])["frames in"] == str(count))  # noqa: B023
    bad = probe.image(clip[0], 101.0)
    bad.encoding = "cmyk9"
    camera.publish(bad)

    def all_are_counted():
        counted = values(diagnostics[name])
        return int(counted["frames processed"]) + int(counted["frames dropped"]) == int(counted["frames in"]) == 13

    assert wait_until(all_are_counted)
    counted = values(diagnostics[name])
    assert counted["dropped: late_stamp"] == "2"
    assert counted["dropped: unusable"] == "1"
    assert counted["lifecycle state"] == "active"


def test_images_beyond_the_frame_rate_are_counted_as_such(nodes, probe, clip, diagnostics):
    nodes.start("face_detector_node", "-p", "frame_rate:=5.0")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    probe.feed_more_than(5.0, clip[:20])
    name = "face_detector_node: image"
    assert wait_until(lambda: name in diagnostics and values(diagnostics[name])["frames processed"] == "5")
    # Those that are turned away follow each other so quickly that a busy computer hears only the newest of some.
    counted = values(diagnostics[name])
    assert 0 < int(counted["dropped: frame_rate"]) == int(counted["frames in"]) - 5 <= 15


def test_the_recognizer_names_its_model_precision_and_provider(nodes, probe, clip, diagnostics):
    nodes.start("face_detector_node")
    nodes.start("dfer_node", "-p", "precision:=int8", "-p", "cameras:=['', 'rear']")
    probe.publisher()
    before = probe.wait_for_graph()
    now = probe.node.get_clock().now().nanoseconds * 1e-9
    probe.feed(clip[:20], stamps=[now - 1.0 + index / 20 for index in range(20)])
    name = "dfer_node: faces"
    assert wait_until(lambda: name in diagnostics and values(diagnostics[name])["frames processed"] == f"{before + 20}")
    told = values(diagnostics[name])
    assert (told["model"], told["precision"], told["provider"]) == ("mobilenet_v1", "int8", "CPUExecutionProvider")
    assert len(told["model sha256"]) == 12
    assert float(told["latency p50 (ms)"]) < 60_000.0
    assert values(diagnostics["dfer_node: rear"])["frames in"] == "0"


@pytest.mark.parametrize("node", ["face_detector_node", "dfer_node"])
def test_the_keys_are_the_same_before_anything_is_loaded_and_after(nodes, probe, diagnostics, node):
    nodes.start(node, "-p", MANAGED)
    name = f"{node}: {'image' if node == 'face_detector_node' else 'faces'}"
    assert wait_until(lambda: name in diagnostics)
    before = values(diagnostics[name])
    assert before["model"] == before["provider"] == "n/a"
    assert change(probe, node, "configure")
    assert wait_until(lambda: values(diagnostics[name])["lifecycle state"] == "inactive")
    loaded = values(diagnostics[name])
    assert list(loaded) == list(before)
    assert "n/a" not in (loaded["model"], loaded["provider"]) and len(loaded["model sha256"]) == 12
    assert change(probe, node, "cleanup")
    assert wait_until(lambda: values(diagnostics[name])["lifecycle state"] == "unconfigured")
    assert values(diagnostics[name])["model"] == "n/a"


def test_a_camera_that_stops_is_stale_after_a_second_and_a_paused_node_is_not(nodes, probe, clip, diagnostics):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    probe.play(clip[:10])
    name = "face_detector_node: image"
    assert wait_until(
        lambda: (
            name in diagnostics
            and diagnostics[name].level == b"\x01"
            and re.search("No frame for [0-9]", diagnostics[name].message)
        )
    )
    enable(probe, "face_detector_node", False)
    assert wait_until(lambda: diagnostics[name].level == b"\x00")
    assert diagnostics[name].message == "Takes no frames: paused."
    time.sleep(1.5)
    assert diagnostics[name].level == b"\x00"


def test_a_model_that_cannot_be_loaded_is_an_error(nodes, probe, diagnostics):
    nodes.start("dfer_node", "-p", MANAGED, "-p", "model:=/nowhere/model")
    assert not change(probe, "dfer_node", "configure")
    name = "dfer_node: faces"
    assert wait_until(lambda: name in diagnostics and diagnostics[name].level == b"\x02")
    assert "There is no model folder" in diagnostics[name].message
