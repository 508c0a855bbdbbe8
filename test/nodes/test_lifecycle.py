"""Managed nodes: a lifecycle manager's transitions, autostart, and the pause by ~/enable."""

import random
import threading
import time

import pytest
from lifecycle_msgs.srv import ChangeState, GetState
from std_srvs.srv import SetBool
from test_parameters import call, set_parameter

from dfer_msgs.msg import EmotionArray
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

MANAGED = "autostart:=false"


def change(probe, node, transition):
    request = ChangeState.Request()
    request.transition.label = transition
    return call(probe, node, ChangeState, "change_state", request).success


def state(probe, node):
    return call(probe, node, GetState, "get_state", GetState.Request()).current_state.label


def enable(probe, node, wanted):
    return call(probe, node, SetBool, "enable", SetBool.Request(data=wanted))


def listeners(probe, topic="image"):
    return probe.node.count_subscribers(probe.node.resolve_topic_name(topic))


def publishers(probe, topic):
    return probe.node.count_publishers(probe.node.resolve_topic_name(topic))


def answers_again(probe, clip, messages):
    probe.wait_for_graph(emotions=messages is probe.emotions)
    before = len(messages)
    probe.feed(clip[:5], messages)
    return len(messages) == before + 5


def test_the_detector_works_only_while_it_is_active(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", MANAGED)
    probe.publisher()
    assert state(probe, "face_detector_node") == "unconfigured"
    assert change(probe, "face_detector_node", "configure")
    assert state(probe, "face_detector_node") == "inactive"
    assert wait_until(lambda: publishers(probe, "faces") == 1)
    assert listeners(probe) == 0
    for _ in range(2):
        assert change(probe, "face_detector_node", "activate")
        assert answers_again(probe, clip, probe.faces)
        assert change(probe, "face_detector_node", "deactivate")
        assert wait_until(lambda: listeners(probe) == 0), "the camera still streams to an inactive node"
    assert change(probe, "face_detector_node", "cleanup")
    assert wait_until(lambda: publishers(probe, "faces") == 0)
    assert change(probe, "face_detector_node", "configure")
    assert change(probe, "face_detector_node", "shutdown")
    assert state(probe, "face_detector_node") == "finalized"


def test_the_recognizer_works_only_while_it_is_active(nodes, probe, clip):
    nodes.start("face_detector_node")
    nodes.start("dfer_node", "-p", MANAGED, "-p", "precision:=int8")
    probe.publisher()
    assert change(probe, "dfer_node", "configure")
    assert change(probe, "dfer_node", "activate")
    probe.wait_for_graph()
    assert answers_again(probe, clip, probe.emotions)
    assert change(probe, "dfer_node", "deactivate")
    assert wait_until(lambda: listeners(probe, "faces") == 1), "only the probe shall hear faces now"
    assert change(probe, "dfer_node", "cleanup")
    assert wait_until(lambda: publishers(probe, "emotions") == 0)


def test_a_load_that_fails_is_named_and_leaves_the_node_unconfigured(nodes, probe):
    nodes.start("dfer_node", "-p", MANAGED, "-p", "model:=/nowhere/model")
    assert not change(probe, "dfer_node", "configure")
    assert state(probe, "dfer_node") == "unconfigured"
    assert len(nodes.lines("dfer_node", "There is no model folder /nowhere/model")) == 1
    assert nodes.processes["dfer_node"].poll() is None


def test_enable_pauses_an_active_node_and_lets_it_go_on(nodes, probe, clip):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    answer = enable(probe, "face_detector_node", False)
    assert answer.success
    assert answer.message.startswith("Paused")
    assert state(probe, "face_detector_node") == "active"
    assert wait_until(lambda: listeners(probe) == 0), "a paused node still takes the camera's images"
    assert enable(probe, "face_detector_node", True).message == "Working."
    assert answers_again(probe, clip, probe.faces)


def test_the_parameter_enabled_and_the_service_are_one_thing(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", "enabled:=false", "-p", MANAGED)
    probe.publisher()
    assert change(probe, "face_detector_node", "configure")
    assert change(probe, "face_detector_node", "activate")
    assert listeners(probe) == 0
    assert set_parameter(probe, "face_detector_node", "enabled", True).successful
    assert answers_again(probe, clip, probe.faces)


def test_enabling_an_inactive_node_says_that_it_waits(nodes, probe):
    nodes.start("face_detector_node", "-p", MANAGED)
    answer = enable(probe, "face_detector_node", True)
    assert answer.success
    assert "unconfigured" in answer.message


def test_random_transitions_under_load_end_in_a_node_that_answers(nodes, probe, clip):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    stop = threading.Event()

    def load():
        while not stop.is_set():
            probe.play(clip[:5], rate=60.0)

    camera = threading.Thread(target=load)
    camera.start()
    chance = random.Random(4)
    for _ in range(20):
        now = state(probe, "face_detector_node")
        possible = {"unconfigured": ["configure"], "inactive": ["activate", "cleanup"], "active": ["deactivate"]}[now]
        assert change(probe, "face_detector_node", chance.choice(possible)), f"refused in {now}"
    stop.set()
    camera.join()
    if state(probe, "face_detector_node") == "unconfigured":
        assert change(probe, "face_detector_node", "configure")
    if state(probe, "face_detector_node") == "inactive":
        assert change(probe, "face_detector_node", "activate")
    time.sleep(0.5)
    assert answers_again(probe, clip, probe.faces)


@pytest.mark.parametrize(
    ("name", "value"), [("confirm_frames", 1), ("detection_confidence", 0.9), ("lost_seconds", 3.0)]
)
def test_thresholds_of_the_detector_may_change_while_it_runs(nodes, probe, clip, name, value):
    nodes.start("face_detector_node", "-p", "confirm_frames:=100")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    assert set_parameter(probe, "face_detector_node", name, value).successful
    probe.feed(clip[:5], probe.faces)
    assert bool(probe.faces[-1].faces) == (name == "confirm_frames")


def test_a_window_changed_while_the_node_runs_is_the_one_that_counts(nodes, probe, clip):
    nodes.start("face_detector_node")
    nodes.start("dfer_node", "-p", "precision:=int8")
    probe.publisher()
    probe.wait_for_graph()
    assert set_parameter(probe, "dfer_node", "window_seconds", 0.5).successful
    probe.feed(clip[:30])
    assert 0.3 < probe.emotions[-1].emotions[0].window_seconds <= 0.5


def test_one_recognizer_serves_several_cameras_that_share_nothing(nodes, probe, clip):
    """One person before the left camera, none before the right one: two streams, one model."""
    for camera in ("left", "right"):
        nodes.start("face_detector_node", "-p", f"id_prefix:={camera}_", camera=camera)
    nodes.start("dfer_node", "-p", "cameras:=['left', 'right']", "-p", "precision:=int8")
    heard = {"left": [], "right": []}
    for camera, messages in heard.items():
        probe.node.create_subscription(EmotionArray, f"{camera}/emotions", messages.append, 50)
    images = {camera: probe.publisher(topic=f"{camera}/image") for camera in heard}
    for camera, messages in heard.items():
        probe.wait_for_camera(topic=f"{camera}/image")
        probe.wait_until_answered(images[camera], messages)
        messages.clear()
    for index, frame in enumerate(clip[:15]):
        images["right"].publish(probe.image(frame * 0 + 90, 99.0))
        probe.ask([probe.image(frame, 100.0 + index / 20)], images["left"], heard["left"])
    assert len(heard["left"]) == 15
    assert heard["left"][-1].emotions[0].face_id.startswith("left_")
    assert wait_until(lambda: heard["right"])
    assert not any(message.emotions for message in heard["right"])


def test_shutdown_ends_with_code_0_from_every_state(nodes, probe):
    nodes.start("face_detector_node", "-p", MANAGED)
    nodes.start("dfer_node", "-p", "precision:=int8")
    assert wait_until(lambda: nodes.lines("dfer_node", "Reading emotions"))
    assert state(probe, "face_detector_node") == "unconfigured"
    assert set(nodes.stop(PATIENCE_SECONDS).values()) == {0}
