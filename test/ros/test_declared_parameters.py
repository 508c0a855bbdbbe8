"""Parameters as ROS takes them in: what was meant is taken, what was not is refused with what helps."""

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

from dfer_ros.core.errors import DferError
from dfer_ros.core.installed_files import share_directory
from dfer_ros.nodes.emotion_stream import DferNodeConfig
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
from dfer_ros.nodes.video_source_node import VideoSourceConfig
from dfer_ros.ros.image_subscription import ImageConfig
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

CONFIGURATIONS = {
    "face_detector_node": FaceDetectorNodeConfig(),
    "dfer_node": DferNodeConfig(),
    "overlay_node": ImageConfig(),
    "video_source_node": VideoSourceConfig(),
}


@pytest.fixture
def context():
    """A context of its own for every test."""
    made = []

    def make(*arguments):
        made.append(rclpy.Context())
        rclpy.init(args=["--ros-args", *arguments], context=made[-1])
        return made[-1]

    yield make
    for one in made:
        one.shutdown()


@pytest.fixture
def declare(context):
    """Declare the parameters of a configuration on a node that was given some, and return it and the node."""
    nodes = []

    def make(configuration, *given):
        arguments = [word for one in given for word in ("-p", one)]
        nodes.append(rclpy.create_node("declaring", context=context(*arguments)))
        return declare_parameters(nodes[-1], configuration, lambda _: None), nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


@pytest.mark.parametrize(
    ("given", "text"), [("source:=0", "0"), ("source:=2024", "2024"), ("source:=1.5", "1.5"), ("source:='on'", "on")]
)
def test_a_number_given_for_a_text_is_that_text(declare, given, text):
    config, node = declare(VideoSourceConfig(), given)
    assert config.source == text
    value = node.get_parameter("source")
    assert (value.value, value.type_) == (text, Parameter.Type.STRING)


def test_numbers_given_for_a_list_of_texts_are_texts(declare):
    with pytest.raises(DferError, match="The camera '1' of the parameter 'cameras' cannot be part of a topic"):
        declare(DferNodeConfig(), "cameras:=[1, 2]")
    config, _ = declare(DferNodeConfig(), "cameras:=[]")
    assert config.cameras == ("",)


@pytest.mark.parametrize(
    ("configuration", "given", "sentence"),
    [
        (
            FaceDetectorNodeConfig(),
            "id_prefix:=on",
            "Parameter 'id_prefix' must be a text: write it in quotes, as in -p \"id_prefix:='on'\".",
        ),
        (
            DferNodeConfig(),
            "cameras:=[true]",
            "Parameter 'cameras' must be a list of texts: write it as one, as in -p \"cameras:=['on', 'off']\".",
        ),
        (
            DferNodeConfig(),
            "providers:=cpu",
            "Parameter 'providers' must be a list of texts: write it as one, as in -p \"providers:=['cpu']\".",
        ),
        (FaceDetectorNodeConfig(), "id_prefix:=1", "'id_prefix' must be empty or a letter followed by"),
        (DferNodeConfig(), "threads:=1.5", "Parameter 'threads' must be a number from 1 to 64: correct its value."),
        (DferNodeConfig(), "threads:=99", "Parameter 'threads' must be a number from 1 to 64: correct its value."),
        (DferNodeConfig(), "enabled:=1", "Parameter 'enabled' must be true or false: correct its value."),
        (
            DferNodeConfig(),
            "precision:=4",
            "Parameter 'precision' must be one of auto, fp32, fp16, int8: correct",
        ),
    ],
)
def test_what_cannot_have_been_meant_is_refused(declare, configuration, given, sentence):
    with pytest.raises(DferError) as refused:
        declare(configuration, given)
    assert str(refused.value).startswith(sentence)


@pytest.mark.skipif(not hasattr(rclpy.node.Node, "add_pre_set_parameters_callback"), reason="Humble keeps the integer")
def test_an_integer_for_a_double_keeps_the_type_double(declare):
    _, node = declare(FaceDetectorNodeConfig(), "frame_rate:=15")
    assert node.get_parameter("frame_rate").type_ == Parameter.Type.DOUBLE
    assert node.set_parameters([Parameter("frame_rate", value=20)])[0].successful
    value = node.get_parameter("frame_rate")
    assert (value.value, value.type_) == (20.0, Parameter.Type.DOUBLE)
    assert node.describe_parameter("frame_rate").type == Parameter.Type.DOUBLE.value


@pytest.mark.parametrize(("name", "value"), [("enabled", 1), ("confirm_frames", 2.5), ("lost_seconds", True)])
def test_another_kind_set_while_the_node_runs_is_refused_with_a_sentence_of_ours(declare, name, value):
    _, node = declare(FaceDetectorNodeConfig())
    before = node.get_parameter(name)
    refused = node.set_parameters([Parameter(name, value=value)])[0]
    assert not refused.successful
    assert refused.reason.startswith(f"Parameter '{name}' must be ") and refused.reason.endswith(f", not {value!r}.")
    assert (node.get_parameter(name).value, node.get_parameter(name).type_) == (before.value, before.type_)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_shipped_yaml_can_be_loaded_into_a_running_node(context, name):
    """`ros2 param load` is this client of rclpy."""
    here = context()
    node = rclpy.create_node(name, namespace="/robot/dfer", context=here)
    config = declare_parameters(node, CONFIGURATIONS[name], lambda _: None)
    asking = rclpy.create_node("asking", context=here)
    executor = SingleThreadedExecutor(context=here)
    for one in (node, asking):
        executor.add_node(one)
    client = AsyncParameterClient(asking, f"/robot/dfer/{name}")
    assert client.wait_for_services(PATIENCE_SECONDS)
    future = client.load_parameter_file(str(share_directory() / "config" / f"{name}.yaml"), use_wildcard=True)
    assert wait_until(future.done, pass_time=lambda: executor.spin_once(timeout_sec=0.1))
    reasons = {result.reason for result in future.result().results if not result.successful}
    assert all("read-only" in reason for reason in reasons)
    assert declared(node, config)
    executor.shutdown()


def declared(node, config):
    """Whether a node has the values of a configuration."""
    from dfer_ros.core.parameter import parameters

    rows = parameters(config).values()
    return all(row.converted(node.get_parameter(row.name).value) == row.default for row in rows)
