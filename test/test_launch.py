"""The launch files: their arguments, what they start, and one real launch where ROS's launch is installed."""

import ast
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dfer_ros.cli.demo_clip import FPS
from dfer_ros.cli.outputs import VideoOutput
from dfer_ros.cli.transport_profile import PROFILE_VARIABLES

CHECKOUT = Path(__file__).resolve().parents[1]
FILES = ("dfer.launch.py", "camera.launch.py", "replay.launch.py")

# Where launch is absent, `import launch` finds our folder of that name: launch_ros tells the truth.
HAS_LAUNCH = importlib.util.find_spec("launch_ros") is not None
needs_launch = pytest.mark.skipif(not HAS_LAUNCH, reason="launch comes from ROS, not from pip")
if HAS_LAUNCH:
    from launch import LaunchContext
    from launch.actions import ExecuteProcess
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch.utilities import perform_substitutions
    from launch_ros.actions import Node

ARGUMENTS = {
    "image": "/camera/image_raw",
    "image_transport": ("face_detector_node", "overlay_node"),
    "image_reliability": ("face_detector_node", "overlay_node"),
    "frame_rate": ("face_detector_node", "dfer_node"),
    "detector": ("face_detector_node",),
    "precision": ("dfer_node",),
    "overlay": "false",
    "namespace": "dfer",
    "params_file": "",
    "use_sim_time": "false",
    "log_level": "info",
}
"""The arguments of dfer.launch.py: the default, or the nodes in whose YAML it stands."""
MORE_ARGUMENTS = {
    "dfer.launch.py": {},
    "camera.launch.py": {"camera": "usb_cam", "video_device": "/dev/video0", "image": ""},
    "replay.launch.py": {"bag": None, "rate": "1.0", "loop": "false", "delay": "3.0", "use_sim_time": "true"},
}
DRIVER_TOPICS = {
    "usb_cam": "/camera/image_raw",
    "realsense2_camera": "/camera/camera/color/image_raw",
    "depthai": "/oak/rgb/image_raw",
}

RUNNER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription

arguments = [argument.split(":=", 1) for argument in sys.argv[2:]]
service = LaunchService(argv=sys.argv[2:])
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(sys.argv[1], launch_arguments=arguments)])
)
sys.exit(service.run())
"""
"""`ros2 launch` without ros2cli."""


@pytest.mark.parametrize("file", FILES)
def test_a_launch_file_is_python_that_describes_a_launch(file):
    tree = ast.parse((CHECKOUT / "launch" / file).read_text(encoding="utf-8"))
    assert "generate_launch_description" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("file", FILES)
def test_a_launch_file_names_only_nodes_and_files_that_are_there(file):
    texts = set(re.findall(r'"([^"\s]*)"', (CHECKOUT / "launch" / file).read_text(encoding="utf-8")))
    assert {text for text in texts if text.endswith("_node")} <= set(installed_nodes())
    assert {text for text in texts if text.endswith(".launch.py")} <= {*FILES, "driver.launch.py"}


def installed_nodes():
    """Return the nodes that setup.py installs."""
    tree = ast.parse((CHECKOUT / "setup.py").read_text(encoding="utf-8"))
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    return ast.literal_eval(values["NODES"])


@pytest.fixture
def own_environment(monkeypatch):
    """Give the test an environment of its own, without a Fast DDS profile: launch writes into it."""
    environment = {name: value for name, value in os.environ.items() if name not in PROFILE_VARIABLES}
    environment.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    monkeypatch.setattr(os, "environ", environment)
    return environment


@needs_launch
@pytest.mark.parametrize("file", FILES)
def test_the_arguments_have_the_defaults_of_the_yaml(file):
    expected = {name: default(name, said) for name, said in ARGUMENTS.items()} | MORE_ARGUMENTS[file]
    assert declared(file) == expected


def default(name, said):
    """Return the default of an argument, which the YAML of all its nodes must agree on."""
    if isinstance(said, str):
        return said
    texts = {node: yaml.safe_load((CHECKOUT / "config" / f"{node}.yaml").read_text(encoding="utf-8")) for node in said}
    defaults = {str(text[f"/**/{node}"]["ros__parameters"][name]) for node, text in texts.items()}
    assert len(defaults) == 1
    return defaults.pop()


def declared(file):
    """Return the arguments that `ros2 launch --show-args` would show, with their defaults."""
    description = get_launch_description_from_python_launch_file(str(CHECKOUT / "launch" / file))
    arguments = description.get_launch_arguments()
    assert all(len(argument.description) > 10 for argument in arguments)
    return {
        argument.name: argument.default_value and perform_substitutions(LaunchContext(), argument.default_value)
        for argument in arguments
    }


def started(file, **arguments):
    """Return what a launch file would start, in order, and its context."""
    context = LaunchContext()
    context.launch_configurations.update(arguments)
    processes = []
    waiting = [get_launch_description_from_python_launch_file(str(CHECKOUT / "launch" / file))]
    while waiting:
        entity = waiting.pop(0)
        if not isinstance(entity, ExecuteProcess):
            waiting[:0] = entity.visit(context) or []
        elif entity.condition is None or entity.condition.evaluate(context):
            processes.append(entity)
    return processes, context


def executables(processes):
    return [process.node_executable for process in processes if isinstance(process, Node)]


@needs_launch
@pytest.mark.parametrize("overlay", [False, True])
def test_dfer_starts_its_nodes_with_the_shared_memory_profile(own_environment, overlay):
    processes, _ = started("dfer.launch.py", overlay=str(overlay).lower())
    assert executables(processes) == ["face_detector_node", "dfer_node"] + ["overlay_node"] * overlay
    assert all(process.node_package == "dfer_ros" for process in processes)
    assert own_environment[PROFILE_VARIABLES[0]] == str(CHECKOUT / "config" / "fastdds_shm.xml")


@needs_launch
def test_a_profile_of_the_user_stays(own_environment):
    own_environment[PROFILE_VARIABLES[1]] = "mine.xml"
    started("dfer.launch.py")
    assert own_environment[PROFILE_VARIABLES[1]] == "mine.xml"
    assert PROFILE_VARIABLES[0] not in own_environment


@needs_launch
def test_a_parameter_file_that_is_not_there_is_refused(own_environment):
    with pytest.raises(RuntimeError, match="no parameter file /nowhere"):
        started("dfer.launch.py", params_file="/nowhere")


@needs_launch
@pytest.mark.parametrize("camera", DRIVER_TOPICS)
def test_camera_starts_a_driver_and_listens_to_its_topic(own_environment, tmp_path, camera):
    own_environment["AMENT_PREFIX_PATH"] += f":{prefix_with_drivers(tmp_path)}"
    processes, context = started("camera.launch.py", camera=camera, params_file=str(a_file(tmp_path)))
    assert executables(processes)[:2] == ["face_detector_node", "dfer_node"]
    assert context.launch_configurations["image"] == DRIVER_TOPICS[camera]
    driver = processes[2]
    if camera == "usb_cam":
        assert driver.node_executable == "usb_cam_node_exe"
    else:
        assert "params_file" not in perform_substitutions(context, driver.cmd[1]), "our arguments reached the driver"


def prefix_with_drivers(folder):
    """Make an install prefix in which every driver is a launch file that starts a process with what it was told."""
    index = folder / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    files = {
        "usb_cam": "camera.launch.py",
        "realsense2_camera": "rs_launch.py",
        "depthai_ros_driver": "driver.launch.py",
    }
    for package, file in files.items():
        (index / package).touch()
        launch_folder = folder / "share" / package / "launch"
        launch_folder.mkdir(parents=True)
        (launch_folder / file).write_text(
            "from launch import LaunchDescription\n"
            "from launch.actions import ExecuteProcess, OpaqueFunction\n"
            "def start(context):\n"
            "    return [ExecuteProcess(cmd=['echo', ' '.join(context.launch_configurations)])]\n"
            "def generate_launch_description():\n"
            "    return LaunchDescription([OpaqueFunction(function=start)])\n"
        )
    return folder


def a_file(folder):
    (folder / "parameters.yaml").touch()
    return folder / "parameters.yaml"


@needs_launch
def test_camera_plays_a_file(own_environment, tmp_path):
    processes, context = started("camera.launch.py", camera=str(a_file(tmp_path)), image="/my/image")
    assert executables(processes) == ["face_detector_node", "dfer_node", "video_source_node"]
    assert context.launch_configurations["image"] == "/my/image"


@needs_launch
@pytest.mark.parametrize(
    "camera, sentence", [("webcam", "neither a driver .* nor"), ("realsense2_camera", "apt install")]
)
def test_a_camera_that_is_not_there_is_refused(own_environment, camera, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        started("camera.launch.py", camera=camera)


@needs_launch
@pytest.mark.parametrize("loop", [False, True])
def test_replay_plays_the_bag_with_its_clock(own_environment, tmp_path, loop):
    processes, context = started("replay.launch.py", bag=str(tmp_path), rate="2.0", loop=str(loop).lower())
    assert executables(processes) == ["face_detector_node", "dfer_node"]
    command = " ".join(perform_substitutions(context, part) for part in processes[-1].cmd)
    assert command == f"ros2 bag play {tmp_path} --clock --rate 2.0 --delay 3.0" + " --loop" * loop
    assert context.launch_configurations["use_sim_time"] == "true"


@needs_launch
def test_a_bag_that_is_not_there_is_refused(own_environment):
    with pytest.raises(RuntimeError, match="no bag /nowhere"):
        started("replay.launch.py", bag="/nowhere")


@needs_launch
def test_a_real_launch_answers_with_emotions_and_ends_well(own_environment, mediapipe_detector, clip, tmp_path):
    file = tmp_path / "clip.mp4"
    with VideoOutput(file, FPS) as video:
        for frame in clip:
            video.write(frame)
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**/dfer_node: {ros__parameters: {precision: fp32, hysteresis: 0.25, frame_rate: 12.0}}\n")
    own_environment["ROS_DOMAIN_ID"] = domain = str(1 + os.getpid() % 100)
    arguments = {"camera": file, "params_file": parameters, "precision": "int8", "overlay": "true"}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", RUNNER, str(CHECKOUT / "launch" / "camera.launch.py"), "namespace:=launched"),
            *(f"{name}:={value}" for name, value in arguments.items()),
        ],
        env=own_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        answers, names, values = observe("/launched", int(domain), nodes=4)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        log = process.communicate(timeout=30.0)[0]
    assert answers, log
    assert names == {"face_detector_node", "dfer_node", "overlay_node", "video_source_node"}
    # The argument, the parameter file, and an argument that was not touched.
    assert values == ["int8", 0.25, 12.0]
    assert process.returncode == 0
    assert "Traceback" not in log, log
    assert log.count("process has finished cleanly") == 4, log


def observe(namespace, domain, nodes):
    """Wait for an emotion and so many nodes; return the answers, the nodes and three parameters of dfer_node."""
    import rclpy
    from rcl_interfaces.srv import GetParameters
    from rclpy.executors import SingleThreadedExecutor

    from dfer_msgs.msg import EmotionArray

    context = rclpy.Context()
    rclpy.init(args=[], context=context, domain_id=domain)
    node = rclpy.create_node("observer", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    answers = []
    node.create_subscription(EmotionArray, f"{namespace}/emotions", answers.append, 10)
    client = node.create_client(GetParameters, f"{namespace}/dfer_node/get_parameters")
    names = set()
    deadline = time.monotonic() + 60.0
    while (not any(answer.emotions for answer in answers) or len(names) < nodes) and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
        names = {name for name, of in node.get_node_names_and_namespaces() if of == namespace}
    assert client.wait_for_service(10.0), "dfer_node does not answer"
    asked = client.call_async(GetParameters.Request(names=["precision", "hysteresis", "frame_rate"]))
    executor.spin_until_future_complete(asked, timeout_sec=10.0)
    said = asked.result().values
    node.destroy_node()
    rclpy.shutdown(context=context)
    return answers, names, [said[0].string_value, said[1].double_value, said[2].double_value]
