"""Starts the face detector and dfer_node, and the overlay if asked for, on the topic of a running camera or of several.

    ros2 launch dfer_ros dfer.launch.py image:=/my_camera/image_raw overlay:=true
    ros2 launch dfer_ros dfer.launch.py cameras:="{front: /front/image_raw, rear: /rear/image_raw}"

Where a parameter gets its value from, the later wins: SetParameter of a launch file that includes this one,
config/<node>.yaml where somebody changed it, params_file, an argument that differs from its default. So an argument
that nobody touched never overrides params_file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.utilities import evaluate_parameters, normalize_parameters, prefix_namespace

from dfer_ros.core.installed_files import changed_parameters, share_directory
from dfer_ros.graph.processes import own_parameters, transport_environment

CONFIG = share_directory() / "config"
BOOLEANS = ["true", "false", "True", "False"]
RESPAWN_DELAY_SECONDS = 0.5
PERCEPTION, DETECTOR, RECOGNIZER = "perception_node", "face_detector_node", "dfer_node"

ARGUMENTS_FILE = share_directory() / "launch" / "parameter_arguments.yaml"
PARAMETER_ARGUMENTS = yaml.safe_load(ARGUMENTS_FILE.read_text(encoding="utf-8"))
"""The arguments that are parameters, by name: nodes, choices, description. Their defaults stand in config/."""


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument("image", default_value="/camera/image_raw", description="Topic of the camera."),
            DeclareLaunchArgument(
                "cameras",
                default_value="",
                description="Several cameras instead of `image`, as YAML: their names and the topics of their images, "
                '"{front: /front/image_raw, rear: /rear/image_raw}". Each has a face detector in <namespace>/<name>.',
            ),
            DeclareLaunchArgument(
                "processes",
                default_value="one",
                choices=["one", "two"],
                description="Whether detectors and dfer_node share one process, perception_node, or have one each; "
                "with shared_encoder:=false they have one each.",
            ),
            boolean(
                "shared_encoder", "true", "Whether one dfer_node serves all `cameras`; otherwise each has its own."
            ),
            *(parameter_argument(name) for name in PARAMETER_ARGUMENTS),
            boolean("overlay", "false", "Whether overlay_node is started, for each camera."),
            boolean("respawn", "false", "Whether a node that ended is started again, half a second later."),
            DeclareLaunchArgument("namespace", default_value="dfer", description="Namespace of the nodes."),
            DeclareLaunchArgument(
                "params_file",
                default_value="",
                description="YAML file of parameters, those of one node under /**/<node>:; empty: none. "
                "An argument that differs from its default wins over it.",
            ),
            boolean("use_sim_time", "false", "Whether the nodes take the time from /clock."),
            DeclareLaunchArgument(
                "log_level",
                default_value="info",
                choices=["debug", "info", "warn", "error", "fatal"],
                description="Least severity of the log lines.",
            ),
            OpaqueFunction(function=start_nodes),
        ]
    )


def boolean(name: str, default_value: str, description: str) -> DeclareLaunchArgument:
    """Return an argument that is true or false."""
    return DeclareLaunchArgument(name, default_value=default_value, choices=BOOLEANS, description=description)


def parameter_argument(name: str) -> DeclareLaunchArgument:
    """Return an argument that is a parameter, with the default of its node."""
    argument = PARAMETER_ARGUMENTS[name]
    value = default(argument["nodes"][0], name)
    if isinstance(value, bool):
        return boolean(name, str(value).lower(), argument["description"])
    # Other packages may add detectors: the node knows which, and refuses those that nobody has.
    choices = argument["choices"] if name != "detector" else None
    return DeclareLaunchArgument(
        name, default_value=str(value), choices=choices or None, description=argument["description"]
    )


def default(node: str, parameter: str) -> Any:
    """Return the default of a node's parameter."""
    return yaml.safe_load((CONFIG / f"{node}.yaml").read_text())["/**"]["ros__parameters"][parameter]


def start_nodes(context: LaunchContext) -> list[Action]:
    """Return the nodes, after the environment that they and every process started later get."""
    environment = [SetEnvironmentVariable(name, value) for name, value in transport_environment().items()]
    cameras = parse_cameras(context.launch_configurations["cameras"])
    if context.launch_configurations["input"] == "hri":
        refuse_cameras_of_ours(cameras, context)
        return [*environment, node("dfer_node", context)]
    nodes = nodes_of_cameras(cameras, context) if cameras else nodes_of_one_camera(context)
    return [*environment, *nodes]


def parse_cameras(text: str) -> dict[str, str]:
    """Return the topics of the cameras by name, none where text is empty; raise a sentence where it is not that."""
    if not text.strip():
        return {}
    try:
        cameras = yaml.safe_load(text)
    except yaml.YAMLError:
        cameras = None
    if not isinstance(cameras, dict) or not all(isinstance(topic, str) and topic for topic in cameras.values()):
        raise RuntimeError(f'cameras must be names and topics, "{{front: /front/image_raw}}", not {text!r}.')
    for name in cameras:
        # It becomes part of topics and the begin of face ids.
        if not re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", str(name)) or not isinstance(name, str):
            raise RuntimeError(f"A camera cannot be named {name!r}: take letters, digits and single _, a letter first.")
    return cameras


def refuse_cameras_of_ours(cameras: Mapping[str, str], context: LaunchContext) -> None:
    """Refuse what is about our face detector where the faces come from another one."""
    overlay = is_true(context, "overlay")
    if cameras or overlay:
        raise RuntimeError(
            f"{'overlay' if overlay else 'cameras'} needs our face detector, which input:=hri does not start."
        )


def nodes_of_one_camera(context: LaunchContext) -> list[Node]:
    """Return the nodes on the topic `image`."""
    overlay = [node("overlay_node", context)] if is_true(context, "overlay") else []
    if context.launch_configurations["processes"] == "one":
        return [perception({}, context), *overlay]
    return [node("face_detector_node", context), node("dfer_node", context), *overlay]


def nodes_of_cameras(cameras: Mapping[str, str], context: LaunchContext) -> list[Node]:
    """Return the nodes of every camera in a namespace of its own, and the dfer_node that they share."""
    prefix = context.launch_configurations["id_prefix"]
    shared = is_true(context, "shared_encoder")
    together = shared and context.launch_configurations["processes"] == "one"
    nodes = [perception(cameras, context)] if together else []
    for camera, image in cameras.items():
        of_camera = {"camera": camera, "image": image}
        if not together:
            nodes.append(
                node("face_detector_node", context, **of_camera, parameters={"id_prefix": f"{prefix}{camera}_"})
            )
        if not shared:
            nodes.append(node("dfer_node", context, **of_camera))
        if is_true(context, "overlay"):
            nodes.append(node("overlay_node", context, **of_camera))
    if shared and not together:
        nodes.append(node("dfer_node", context, parameters={"cameras": list(cameras)}))
    return nodes


def perception(cameras: Mapping[str, str], context: LaunchContext) -> Node:
    """Return the process of the detectors of all cameras and of dfer_node; none: of the topic `image`.

    It has no name of its own: a name would be given to every node in it.
    """
    namespace = full_namespace(context, "")
    words = [word for camera, image in cameras.items() for word in ("--camera", f"{camera}={image}")]
    prefix = context.launch_configurations["id_prefix"]
    return Node(
        package="dfer_ros",
        executable=PERCEPTION,
        namespace=namespace,
        arguments=[*words, *(["--id-prefix", prefix] if words and prefix else [])],
        parameters=perception_parameters(cameras, context),
        remappings=[("image", LaunchConfiguration("image"))],
        ros_arguments=["--log-level", LaunchConfiguration("log_level"), "--enclave", f"{namespace}/{PERCEPTION}"],
        respawn=is_true(context, "respawn"),
        respawn_delay=RESPAWN_DELAY_SECONDS,
        output="screen",
    )


def node(
    name: str, context: LaunchContext, camera: str = "", image: str = "", parameters: Mapping[str, Any] | None = None
) -> Node:
    """Return a node with its parameters: what is said last holds.

    camera: the part of its namespace that is its own. image: its topic, the argument `image` where empty.
    """
    namespace = full_namespace(context, camera)
    return Node(
        package="dfer_ros",
        executable=name,
        name=name,
        namespace=namespace,
        parameters=[
            *changed_parameters(name),
            *user_parameters(context),
            *given_parameters(name, context),
            *([dict(parameters)] if parameters else []),
        ],
        remappings=[("image", image or LaunchConfiguration("image"))],
        # The SROS2 enclave is the node's full name; without ROS_SECURITY_ENABLE it has no effect.
        ros_arguments=["--log-level", LaunchConfiguration("log_level"), "--enclave", f"{namespace.rstrip('/')}/{name}"],
        respawn=is_true(context, "respawn"),
        respawn_delay=RESPAWN_DELAY_SECONDS,
        output="screen",
    )


def perception_parameters(cameras: Mapping[str, str], context: LaunchContext) -> list[str]:
    """Return the parameter files of perception_node.

    Of the keys that fit a node, the one that came first counts least, and SetParameter has brought /** before. So what
    is to win over it has keys of its own: /**/<node> what somebody changed in config/, with what params_file says of
    all nodes, and the full name of a node what was given as an argument.
    """
    user = user_parameters(context)
    changed: dict[str, Any] = {}
    for name in DETECTOR, RECOGNIZER:
        if changed_parameters(name):
            changed |= own_parameters(name)
            for file in user:
                of_all = (yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}).get("/**", {})
                changed[f"/**/{name}"]["ros__parameters"].update(of_all.get("ros__parameters", {}))
    given = {}
    for name, camera in (RECOGNIZER, ""), *((DETECTOR, camera) for camera in cameras or [""]):
        for parameters in evaluate_parameters(context, normalize_parameters(given_parameters(name, context))):
            given[f"{full_namespace(context, camera).rstrip('/')}/{name}"] = {"ros__parameters": dict(parameters)}
    return [*parameter_file(changed), *user, *parameter_file(given)]


def parameter_file(parameters: Mapping[str, Any]) -> list[str]:
    """Return a file of parameters by nodes, none where there are none."""
    if not parameters:
        return []
    with tempfile.NamedTemporaryFile("w", prefix="dfer_", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(dict(parameters), file)
    return [file.name]


def full_namespace(context: LaunchContext, camera: str) -> str:
    """Return the namespace of the nodes, or that of a camera's own nodes, from the root."""
    pushed = context.launch_configurations.get("ros_namespace")
    namespace = prefix_namespace(pushed, context.launch_configurations["namespace"])
    return "/" + "/".join(part.strip("/") for part in (namespace, camera) if part and part.strip("/"))


def user_parameters(context: LaunchContext) -> list[str]:
    """Return the parameter file of the user, if there is one; launch itself would pass over a wrong path."""
    file = context.launch_configurations["params_file"]
    if not file:
        return []
    path = Path(file).expanduser()
    if not path.is_file():
        raise RuntimeError(f"There is no parameter file {path}: correct params_file.")
    return [str(path)]


def given_parameters(node: str, context: LaunchContext) -> list[dict[str, LaunchConfiguration]]:
    """Return the parameters of a node that were given as arguments that differ from their defaults."""
    given = [
        name
        for name, argument in PARAMETER_ARGUMENTS.items()
        if node in argument["nodes"] and not is_default(name, default(argument["nodes"][0], name), context)
    ]
    if is_true(context, "use_sim_time"):
        given.append("use_sim_time")
    return [{name: LaunchConfiguration(name) for name in given}] if given else []


def is_default(argument: str, value: Any, context: LaunchContext) -> bool:
    """Return whether an argument has the value that it has anyway."""
    if isinstance(value, bool):
        return is_true(context, argument) == value
    return context.launch_configurations[argument] == str(value)


def is_true(context: LaunchContext, argument: str) -> bool:
    """Return what an argument of BOOLEANS says."""
    return context.launch_configurations[argument].lower() == "true"
