"""Plays a rosbag2 with its own clock into dfer.launch.py, and ends when the bag ends.

    ros2 launch dfer_ros replay.launch.py bag:=my_bag image:=/head_camera/image_raw rate:=2.0

It takes all arguments of dfer.launch.py as well; here use_sim_time is true by default.
"""

from __future__ import annotations

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription, OpaqueFunction, Shutdown

from dfer_ros.core.installed_files import share_directory


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Folder or file of the bag."),
            DeclareLaunchArgument("rate", default_value="1.0", description="Speed of the replay."),
            DeclareLaunchArgument(
                "loop",
                default_value="false",
                choices=["true", "false", "True", "False"],
                description="Begin again at the end; otherwise all nodes end.",
            ),
            DeclareLaunchArgument(
                "delay",
                default_value="3.0",
                description="Seconds, more than 0, before the bag and each repetition of it: the nodes load meanwhile.",
            ),
            DeclareLaunchArgument(
                "use_sim_time", default_value="true", description="Whether the nodes take the time from the bag."
            ),
            OpaqueFunction(function=check_bag),
            IncludeLaunchDescription(str(share_directory() / "launch" / "dfer.launch.py")),
            OpaqueFunction(function=play),
        ]
    )


def check_bag(context: LaunchContext) -> list[Action]:
    """Refuse a bag that is not there before anything is started."""
    if not bag_path(context).exists():
        raise RuntimeError(f"There is no bag {bag_path(context)}: correct bag.")
    return []


def play(context: LaunchContext) -> list[Action]:
    """Return the player of the bag."""
    arguments = context.launch_configurations
    loop = ["--loop"] if arguments["loop"].lower() == "true" else []
    command = ["ros2", "bag", "play", str(bag_path(context)), "--clock"]
    command += ["--rate", arguments["rate"], "--delay", arguments["delay"], *loop]
    return [ExecuteProcess(cmd=command, output="screen", on_exit=Shutdown(reason="the bag came to its end"))]


def bag_path(context: LaunchContext) -> Path:
    """Return the path of the bag; a shell does not resolve the ~ of bag:=~/my_bag."""
    return Path(context.launch_configurations["bag"]).expanduser()
