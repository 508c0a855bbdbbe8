"""Face detectors and dfer_node in one process: with their own names, states and parameters, and faces in memory."""

import subprocess
import sys
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters
from test_lifecycle import change, enable, state
from test_parameters import call, set_parameter

from dfer_msgs.msg import EmotionArray, FaceArray
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until

INT8 = ("-p", "precision:=int8")
NO_DETECTOR = ("-p", "detector:=yunet", "-p", "yunet_model:=/nowhere.onnx")


@pytest.fixture
def perception(nodes, probe):
    nodes.start("perception_node", *INT8)
    probe.publisher()
    probe.wait_for_graph(face_listeners=1)
    return nodes


def value(probe, node, name):
    return call(probe, node, GetParameters, "get_parameters", GetParameters.Request(names=[name])).values[0]


def test_both_nodes_are_there_with_their_names_and_nothing_else(perception, probe, namespace):
    names = [name for name, where in probe.node.get_node_names_and_namespaces() if where == namespace]
    assert sorted(names) == ["dfer_node", "face_detector_node", "probe"]
    assert state(probe, "face_detector_node") == state(probe, "dfer_node") == "active"
    assert value(probe, "dfer_node", "precision").string_value == "int8"
    assert value(probe, "face_detector_node", "confirm_frames").integer_value == 3


def test_each_says_in_diagnostics_how_it_is(perception, probe, namespace, clip):
    said = {}
    probe.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda message: said.update({s.name: s for s in message.status}), OUTPUT
    )
    names = {f"{namespace}/face_detector_node: image", f"{namespace}/dfer_node: faces"}
    probe.feed(clip[:20])
    assert wait_until(lambda: names <= said.keys())
    counts = [{value.key: value.value for value in said[name].values}["frames in"] for name in sorted(names)]
    assert wait_until(lambda: all(int(count) > 0 for count in counts))


def test_faces_are_a_message_only_while_somebody_listens(nodes, probe, clip):
    """The counts of the middleware are not to be seen from outside, what comes late is."""
    nodes.start("perception_node", *INT8)
    probe.publisher()
    probe.wait_for_graph(face_listeners=1)
    heard = probe.node.resolve_topic_name("faces")
    for subscription in list(probe.node.subscriptions):
        if subscription.topic_name == heard:
            probe.node.executor.create_task(probe.node.destroy_subscription, subscription)
    assert wait_until(lambda: probe.node.count_subscribers(heard) == 0)
    sent = probe.feed(clip[:10])
    assert probe.answered(sent) == 10 and not probe.faces
    again = []
    probe.node.create_subscription(FaceArray, "faces", again.append, OUTPUT)
    assert wait_until(lambda: probe.feed(clip[:5]) and again and again[-1].faces)
    assert len(again[-1].faces[0].aligned.data) == 3 * 128 * 128


def test_the_state_of_one_is_not_that_of_the_other(perception, probe, clip):
    probe.feed(clip[:10])
    assert change(probe, "face_detector_node", "deactivate")
    assert (state(probe, "face_detector_node"), state(probe, "dfer_node")) == ("inactive", "active")
    assert change(probe, "face_detector_node", "cleanup") and change(probe, "face_detector_node", "configure")
    assert change(probe, "face_detector_node", "activate")
    probe.wait_for_graph(face_listeners=1)
    assert probe.feed(clip[:5])
    assert enable(probe, "dfer_node", False).success
    before = len(probe.emotions)
    probe.feed(clip[5:10], probe.faces)
    assert len(probe.emotions) == before
    assert enable(probe, "dfer_node", True).success
    assert probe.feed(clip[10:15])


def test_a_transition_that_fails_leaves_the_other_half_at_work(nodes, probe):
    nodes.start("perception_node", *INT8, "-p", "autostart:=false", *NO_DETECTOR)
    assert change(probe, "dfer_node", "configure") and change(probe, "dfer_node", "activate")
    assert not change(probe, "face_detector_node", "configure")
    assert (state(probe, "face_detector_node"), state(probe, "dfer_node")) == ("unconfigured", "active")
    assert wait_until(lambda: nodes.lines("perception_node", "/nowhere.onnx"))


def test_a_half_that_cannot_start_is_named_and_ends_the_process(nodes):
    process = nodes.start("perception_node", *INT8, *NO_DETECTOR)
    assert process.wait(60) == 1
    assert wait_until(lambda: nodes.lines("perception_node", "face_detector_node cannot start"))
    assert nodes.lines("perception_node", "/nowhere.onnx") and nodes.lines("perception_node", "perception_node ends")


def test_parameters_of_one_node_are_not_those_of_the_other(perception, probe):
    assert set_parameter(probe, "face_detector_node", "frame_rate", 5.0).successful
    assert value(probe, "face_detector_node", "frame_rate").double_value == 5.0
    assert value(probe, "dfer_node", "frame_rate").double_value == 30.0


def test_every_camera_has_its_detector_and_all_share_the_encoder(nodes, probe, namespace, clip):
    cameras = [word for name in ("left", "right") for word in ("--camera", f"{name}={namespace}/{name}/picture")]
    nodes.start("perception_node", *INT8, words=cameras)
    answers = {"left": [], "right": []}
    for name, received in answers.items():
        probe.node.create_subscription(EmotionArray, f"{name}/emotions", received.append, OUTPUT)
        probe.publisher(topic=f"{name}/picture")
        probe.wait_for_camera(topic=f"{name}/picture")
    places = {where for name, where in probe.node.get_node_names_and_namespaces() if name == "face_detector_node"}
    assert {f"{namespace}/left", f"{namespace}/right"} <= places
    time.sleep(0.5)
    start = time.time() - 3600.0
    for name, received in answers.items():
        images = [probe.image(frame, start + index / 20) for index, frame in enumerate(clip[:8])]
        probe.ask(images, probe.publisher(topic=f"{name}/picture"), received)
        (emotion,) = received[-1].emotions
        assert emotion.face_id.startswith(f"{name}_")


@pytest.mark.parametrize("words", [("--camera", "left"), ("--camera", "=topic"), ("--unknown",)])
def test_a_wrong_command_line_is_refused(words):
    command = [sys.executable, "-m", "dfer_ros.nodes.perception_node", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert words[-1] in done.stderr


@pytest.mark.slow
def test_a_second_graph_under_the_same_name_is_named_once_by_each_node(perception, probe, namespace, diagnostics):
    second = type(perception)(namespace)
    second.start("perception_node", *INT8)
    try:
        for node, stream in (("dfer_node", "faces"), ("face_detector_node", "image")):
            sentence = f"Another node is called {namespace}/{node} too"
            for graph in (perception, second):
                (log,) = graph.logs.values()
                assert wait_until(lambda log=log, sentence=sentence: any(sentence in line for line in log), 60.0)
            assert wait_until(lambda node=node, stream=stream: "is called" in diagnostics[f"{node}: {stream}"].message)
    finally:
        second.stop()
    for log in (*perception.logs.values(), *second.logs.values()):
        assert sum("Another node is called" in line for line in log) == 2
    assert wait_until(lambda: "is called" not in diagnostics["dfer_node: faces"].message, 60.0)
