"""The launch files: their arguments and what they would start, where ROS's launch is installed."""

import ast
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dfer_ros.graph.transport_profile import PROFILE_VARIABLES

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
    "cameras": "",
    "shared_encoder": "true",
    "image_transport": ("face_detector_node", "overlay_node"),
    "image_reliability": ("face_detector_node", "overlay_node"),
    "frame_rate": ("face_detector_node", "dfer_node"),
    "detector": ("face_detector_node",),
    "precision": ("dfer_node",),
    "id_prefix": ("face_detector_node",),
    "hri": ("face_detector_node", "dfer_node"),
    "input": ("dfer_node",),
    "autostart": ("face_detector_node", "dfer_node"),
    "overlay": "false",
    "respawn": "false",
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


def launch(file, log, environment, **arguments):
    """Start a launch file as `ros2 launch` does, with a log to write to, and return its process."""
    given = [f"{name}:={value}" for name, value in arguments.items()]
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(CHECKOUT / "launch" / file), *given],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def launch_environment():
    """Return an environment without a Fast DDS profile, in which launch finds packages."""
    environment = {name: value for name, value in os.environ.items() if name not in PROFILE_VARIABLES}
    environment.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    return environment


@pytest.fixture
def own_environment(monkeypatch):
    """Give the test an environment of its own: launch writes into it."""
    environment = launch_environment()
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
    (value,) = {text[f"/**/{node}"]["ros__parameters"][name] for node, text in texts.items()}
    return str(value).lower() if isinstance(value, bool) else str(value)


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


def commands(folder, file="dfer.launch.py", **arguments):
    """Launch a file with nodes that only write down their command lines, and return those by full name."""
    nodes = folder / "lib" / "dfer_ros"
    nodes.mkdir(parents=True)
    for node in installed_nodes():
        (nodes / node).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/$$.command\n')
        (nodes / node).chmod(0o755)
    (folder / "share" / "ament_index" / "resource_index" / "packages").mkdir(parents=True)
    (folder / "share" / "ament_index" / "resource_index" / "packages" / "dfer_ros").touch()
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{folder}:{os.environ['AMENT_PREFIX_PATH']}"}
    launch(file, subprocess.DEVNULL, environment, **arguments).wait(timeout=60.0)
    lines = [file.read_text(encoding="utf-8").splitlines() for file in folder.glob("*.command")]
    return {full_name(words): words for words in lines}


def full_name(words):
    """Return the full name of a node that has this command line."""
    namespace, name = (
        next(word for word in words if word.startswith(key)).split(":=")[1] for key in ("__ns", "__node")
    )
    return f"{namespace}/{name}".replace("//", "/")


def parameters(words):
    """Return the parameters that a command line gives."""
    files = [following for word, following in itertools.pairwise(words) if word == "--params-file"]
    given = {}
    for file in files:
        for of_node in yaml.full_load(Path(file).read_text(encoding="utf-8")).values():
            given.update(of_node["ros__parameters"])
    return given


@needs_launch
@pytest.mark.parametrize("overlay", [False, True])
def test_dfer_starts_its_nodes_with_the_shared_memory_profile(own_environment, overlay):
    processes, _ = started("dfer.launch.py", overlay=str(overlay).lower())
    assert executables(processes) == ["face_detector_node", "dfer_node"] + ["overlay_node"] * overlay
    assert all(process.node_package == "dfer_ros" for process in processes)
    assert own_environment[PROFILE_VARIABLES[0]] == str(CHECKOUT / "config" / "fastdds_shm.xml")


@needs_launch
@pytest.mark.parametrize("shared", [True, False])
def test_every_camera_has_a_namespace_ids_and_a_topic_of_its_own(own_environment, tmp_path, shared):
    cameras = {"front": "/front/image_raw", "rear": "/rear/color"}
    given = {"cameras": cameras, "shared_encoder": shared, "id_prefix": "robot_", "overlay": "true"}
    lines = commands(tmp_path, **given)
    nodes = {f"/dfer/{camera}/{node}" for camera in cameras for node in ("face_detector_node", "overlay_node")}
    nodes |= {"/dfer/dfer_node"} if shared else {f"/dfer/{camera}/dfer_node" for camera in cameras}
    assert set(lines) == nodes
    for camera, topic in cameras.items():
        detector, overlay = (lines[f"/dfer/{camera}/{node}"] for node in ("face_detector_node", "overlay_node"))
        assert parameters(detector)["id_prefix"] == f"robot_{camera}_"
        assert f"image:={topic}" in detector and f"image:={topic}" in overlay
    served = [list(parameters(words)["cameras"]) for name, words in lines.items() if name.endswith("/dfer_node")]
    assert served == ([["front", "rear"]] if shared else [[""], [""]])


@needs_launch
@pytest.mark.parametrize(
    "cameras, sentence",
    [
        ("[front, rear]", "names and topics"),
        ("{front: 1}", "names and topics"),
        ("{front: /image", "names and topics"),
        ("{front/left: /image}", "cannot be named 'front/left'"),
        ("{1st: /image}", "cannot be named '1st'"),
        ("{front_: /image}", "cannot be named 'front_'"),
        ("{on: /image}", "cannot be named True"),
    ],
)
def test_cameras_that_cannot_be_are_refused(own_environment, cameras, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        started("dfer.launch.py", cameras=cameras)


@needs_launch
def test_faces_of_another_detector_need_none_of_ours(own_environment, tmp_path):
    lines = commands(tmp_path, input="hri")
    assert set(lines) == {"/dfer/dfer_node"}
    assert parameters(lines["/dfer/dfer_node"])["input"] == "hri"


@needs_launch
@pytest.mark.parametrize("needs_ours", [{"overlay": "true"}, {"cameras": "{front: /image}"}])
def test_what_needs_our_detector_is_refused_where_another_is_asked_for(own_environment, needs_ours):
    (name,) = needs_ours
    with pytest.raises(RuntimeError, match=f"{name} needs our face detector"):
        started("dfer.launch.py", input="hri", **needs_ours)


@needs_launch
def test_arguments_that_are_parameters_reach_every_node_that_has_them(own_environment, tmp_path):
    lines = commands(tmp_path, autostart="False", hri="true", id_prefix="left_", frame_rate="15.0")
    detector, dfer = (parameters(lines[f"/dfer/{node}"]) for node in ("face_detector_node", "dfer_node"))
    both = {"autostart": False, "hri": True, "frame_rate": 15.0}
    assert {name: detector[name] for name in (*both, "id_prefix")} == {**both, "id_prefix": "left_"}
    assert {name: dfer[name] for name in both} == both
    assert "id_prefix" not in dfer


@needs_launch
@pytest.mark.parametrize("namespace", ["dfer", "/robot/dfer", ""])
def test_the_enclave_of_a_node_is_its_full_name(own_environment, tmp_path, namespace):
    lines = commands(tmp_path, "camera.launch.py", camera=a_file(tmp_path), namespace=namespace, overlay="true")
    nodes = {"face_detector_node", "dfer_node", "overlay_node", "video_source_node"}
    assert set(lines) == {f"/{namespace.strip('/')}/{node}".replace("//", "/") for node in nodes}
    assert {name: words[words.index("--enclave") + 1] for name, words in lines.items()} == {
        name: name for name in lines
    }


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
