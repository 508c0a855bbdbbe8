"""Starts the face detector and dfer_node, and the overlay if asked for, on the topic of a running camera.

    ros2 launch dfer_ros dfer.launch.py image:=/my_camera/image_raw overlay:=true

Where a parameter gets its value from, the later wins: config/<node>.yaml, params_file, an argument that differs from
its default. So an argument that nobody touched never overrides params_file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from dfer_ros.cli.transport_profile import transport_environment
from dfer_ros.core.share import share_directory

CONFIG = share_directory() / "config"
BOOLEANS = ["true", "false", "True", "False"]

PARAMETER_ARGUMENTS = {
    "image_transport": (["face_detector_node", "overlay_node"], "Transport of the images: raw or compressed."),
    "image_reliability": (
        ["face_detector_node", "overlay_node"],
        "Reliability asked of the camera: reliable, best_effort, or auto, which follows what it offers.",
    ),
    "frame_rate": (["face_detector_node", "dfer_node"], "Most images processed per second, in Hz."),
    "detector": (["face_detector_node"], "Face detector: mediapipe, yunet, or auto, which takes what is installed."),
    "precision": (
        ["dfer_node"],
        "Precision of the encoder: fp32, fp16, int8, or auto, which measures and takes the fastest.",
    ),
}
"""The arguments that are parameters: name -> the nodes that have it, description. Their defaults stand in config/."""


def generate_launch_description() -> LaunchDescription:
    parameters = [
        DeclareLaunchArgument(name, default_value=default(nodes[0], name), description=description)
        for name, (nodes, description) in PARAMETER_ARGUMENTS.items()
    ]
    return LaunchDescription(
        [
            DeclareLaunchArgument("image", default_value="/camera/image_raw", description="Topic of the camera."),
            *parameters,
            DeclareLaunchArgument(
                "overlay", default_value="false", choices=BOOLEANS, description="Whether overlay_node is started."
            ),
            DeclareLaunchArgument("namespace", default_value="dfer", description="Namespace of the nodes."),
            DeclareLaunchArgument(
                "params_file",
                default_value="",
                description="YAML file of parameters in the form of config/*.yaml, laid over those; empty: none. "
                "An argument that differs from its default wins over it.",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=BOOLEANS,
                description="Whether the nodes take the time from /clock.",
            ),
            DeclareLaunchArgument(
                "log_level",
                default_value="info",
                choices=["debug", "info", "warn", "error", "fatal"],
                description="Least severity of the log lines.",
            ),
            OpaqueFunction(function=start_nodes),
        ]
    )


def default(node: str, parameter: str) -> str:
    """Return the default of a node's parameter as the text of a launch argument."""
    values = yaml.safe_load((CONFIG / f"{node}.yaml").read_text())[f"/**/{node}"]["ros__parameters"]
    return str(values[parameter])


def start_nodes(context: LaunchContext) -> list[Action]:
    """Return the nodes, after the environment that they and every process started later get."""
    return [
        *(SetEnvironmentVariable(name, value) for name, value in transport_environment().items()),
        node("face_detector_node", context),
        node("dfer_node", context),
        node("overlay_node", context, condition=IfCondition(LaunchConfiguration("overlay"))),
    ]


def node(name: str, context: LaunchContext, **options: Any) -> Node:
    """Return a node with its parameters: what is said last holds."""
    return Node(
        package="dfer_ros",
        executable=name,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=[str(CONFIG / f"{name}.yaml"), *user_parameters(context), *given_parameters(name, context)],
        remappings=[("image", LaunchConfiguration("image"))],
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        output="screen",
        **options,
    )


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
    arguments = context.launch_configurations
    given = [
        name
        for name, (nodes, _) in PARAMETER_ARGUMENTS.items()
        if node in nodes and arguments[name] != default(nodes[0], name)
    ]
    if arguments["use_sim_time"].lower() == "true":
        given.append("use_sim_time")
    return [{name: LaunchConfiguration(name) for name in given}] if given else []
