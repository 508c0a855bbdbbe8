"""Parameters of running nodes: described, refused with a sentence, changed where they may be."""

import time

import pytest
import yaml
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python

from dfer_ros.core.installed_files import share_directory
from dfer_ros.core.parameter import parameters
from dfer_ros.nodes.emotion_stream import DferNodeConfig
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
from dfer_ros.nodes.video_source_node import VideoSourceConfig
from dfer_ros.ros.image_subscription import ImageConfig
from dfer_ros.ros.waiting import wait_until

CONFIGURATIONS = {
    "face_detector_node": FaceDetectorNodeConfig(),
    "dfer_node": DferNodeConfig(),
    "overlay_node": ImageConfig(),
    "video_source_node": VideoSourceConfig(),
}


def defaults_of(node):
    """Return the defaults of a node's parameters by name, as YAML and ROS have them."""
    rows = parameters(CONFIGURATIONS[node]).values()
    return {row.name: list(row.default) if isinstance(row.default, tuple) else row.default for row in rows}


def call(probe, node, service_type, service, request):
    future = probe.client(service_type, f"{node}/{service}").call_async(request)
    assert wait_until(future.done), f"{node}/{service} did not answer"
    return future.result()


def set_parameter(probe, node, name, value):
    message: ParameterMessage = Parameter(name, value=value).to_parameter_msg()
    return call(probe, node, SetParameters, "set_parameters", SetParameters.Request(parameters=[message])).results[0]


@pytest.mark.parametrize("node", CONFIGURATIONS)
def test_every_parameter_is_in_the_yaml_with_the_same_default(node):
    content = yaml.safe_load((share_directory() / "config" / f"{node}.yaml").read_text())
    assert content == {"/**": {"ros__parameters": defaults_of(node)}}


@pytest.mark.parametrize("node", ["face_detector_node", "dfer_node"])
def test_a_node_started_from_its_yaml_has_the_defaults_of_a_bare_one(nodes, probe, node):
    nodes.start(node, "--params-file", str(share_directory() / "config" / f"{node}.yaml"))
    expected = defaults_of(node)
    result = call(probe, node, GetParameters, "get_parameters", GetParameters.Request(names=list(expected)))
    assert [parameter_value_to_python(value) for value in result.values] == list(expected.values())


def test_the_yaml_reaches_a_node_in_any_namespace(nodes, probe, tmp_path):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**/face_detector_node:\n  ros__parameters:\n    frame_rate: 12\n")
    nodes.start("face_detector_node", "--params-file", str(parameters))
    result = call(
        probe, "face_detector_node", GetParameters, "get_parameters", GetParameters.Request(names=["frame_rate"])
    )
    assert parameter_value_to_python(result.values[0]) == 12


def test_descriptors_carry_text_unit_range_and_whether_they_may_change(nodes, probe):
    nodes.start("face_detector_node")
    request = DescribeParameters.Request(names=["frame_rate", "confirm_frames", "detector"])
    rate, confirm, detector = call(
        probe, "face_detector_node", DescribeParameters, "describe_parameters", request
    ).descriptors
    assert rate.description.endswith("[Hz]")
    assert (rate.floating_point_range[0].from_value, rate.floating_point_range[0].to_value) == (0.1, 240.0)
    assert not rate.read_only
    assert (confirm.integer_range[0].from_value, confirm.integer_range[0].to_value) == (1, 100)
    assert not confirm.read_only
    assert detector.read_only
    assert detector.additional_constraints == "one of auto, mediapipe, yunet, haar, mtcnn"


def test_a_wrong_value_is_refused_with_what_is_allowed_and_the_node_goes_on(nodes, probe, clip):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    too_fast = set_parameter(probe, "face_detector_node", "frame_rate", 1000.0)
    assert not too_fast.successful
    assert "240.0" in too_fast.reason
    a_word = set_parameter(probe, "face_detector_node", "frame_rate", "fast")
    assert a_word.reason == "Parameter 'frame_rate' must be a number from 0.1 to 240.0 Hz, not 'fast'."
    fixed = set_parameter(probe, "face_detector_node", "detector", "yunet")
    assert not fixed.successful
    assert "read-only" in fixed.reason
    probe.feed(clip[:5], probe.faces)


def test_the_frame_rate_may_change_while_the_node_runs(nodes, probe, clip):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    assert set_parameter(probe, "face_detector_node", "frame_rate", 5).successful
    probe.feed_more_than(5.0, clip[:40])
    time.sleep(0.3)
    assert len(probe.faces) == 10


def test_the_unknown_threshold_may_change_while_the_node_runs(nodes, probe, clip):
    nodes.start("face_detector_node")
    nodes.start("dfer_node", "-p", "precision:=int8")
    probe.publisher()
    probe.wait_for_graph()
    probe.feed(clip[:20])
    assert probe.emotions[-1].emotions[0].expression == "happy"
    assert set_parameter(probe, "dfer_node", "unknown_threshold", 1.0).successful
    probe.feed(clip[20:25])
    unsure = probe.emotions[-1].emotions[0]
    assert unsure.expression == "unknown"
    assert unsure.confidence == max(unsure.probabilities)


def test_services_answer_while_the_node_is_busy(nodes, probe, clip, yunet_model):
    slow = (
        "-p",
        "detector:=yunet",
        "-p",
        f"yunet_model:={yunet_model}",
        "-p",
        "yunet_width:=2560",
        "-p",
        "frame_rate:=240",
    )
    nodes.start("face_detector_node", *slow)
    camera = probe.publisher()
    probe.wait_for_graph(emotions=False)
    big = probe.image(clip[-1].repeat(3, axis=0).repeat(3, axis=1))
    calls = 0
    while len(probe.faces) < 5:
        camera.publish(probe.stamp(big))
        request = GetParameters.Request(names=["frame_rate"])
        call(probe, "face_detector_node", GetParameters, "get_parameters", request)
        calls += 1
    assert calls > len(probe.faces), "every call waited for an image"


def test_a_number_that_stands_for_something_else_is_allowed_and_its_neighbours_are_not(nodes, probe):
    nodes.start("dfer_node", "-p", "precision:=int8", "-p", "unknown_threshold:=0.5")
    assert set_parameter(probe, "dfer_node", "unknown_threshold", -1.0).successful
    refused = set_parameter(probe, "dfer_node", "unknown_threshold", -0.3)
    assert refused.reason == "Parameter 'unknown_threshold' must be a number from 0.0 to 1.0, or -1.0, not -0.3."
