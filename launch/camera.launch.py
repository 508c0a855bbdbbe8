"""Starts a camera driver, or plays a recording as a camera, and dfer.launch.py on its images.

    ros2 launch dfer_ros camera.launch.py camera:=usb_cam video_device:=/dev/video2
    ros2 launch dfer_ros camera.launch.py camera:=clip.mp4 overlay:=true

It takes all arguments of dfer.launch.py as well; here the default of `image` is the topic of the camera.
"""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    ResetLaunchConfigurations,
    SetLaunchConfiguration,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.utilities import prefix_namespace

from dfer_ros.core.installed_files import changed_parameters, share_directory

SHARE = share_directory()

DRIVERS = {
    "usb_cam": (["usb_cam"], "/camera/image_raw"),
    "realsense2_camera": (["realsense2_camera"], "/camera/camera/color/image_raw"),
    "depthai": (["depthai_ros_driver_v3", "depthai_ros_driver"], "/oak/rgb/image_raw"),
}
"""The drivers: the packages that each may come from, the best first, and the topic of its images."""
RECORDING_TOPIC = "/camera/image_raw"


def generate_launch_description() -> LaunchDescription:
    # What launch has begun to start when something is refused outlives it: so everything is checked before the start.
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "camera",
                default_value="usb_cam",
                description="A driver: usb_cam, realsense2_camera or depthai; "
                "or what is played as a camera, again and again: a video, an image, or a folder of images.",
            ),
            DeclareLaunchArgument(
                "video_device", default_value="/dev/video0", description="Device that usb_cam opens."
            ),
            DeclareLaunchArgument(
                "image", default_value="", description="Topic of the camera; empty: the one of `camera`."
            ),
            OpaqueFunction(function=choose_topic),
            IncludeLaunchDescription(str(SHARE / "launch" / "dfer.launch.py")),
            OpaqueFunction(function=start_camera),
        ]
    )


def choose_topic(context: LaunchContext) -> list[Action]:
    """Check `camera`, and return its topic as `image` unless the user has said one."""
    camera, image = (context.launch_configurations[name] for name in ("camera", "image"))
    if camera in DRIVERS:
        packages, topic = DRIVERS[camera]
        share_of_first(packages)
    elif Path(camera).expanduser().exists():
        topic = RECORDING_TOPIC
    else:
        raise RuntimeError(
            f"camera:={camera} is neither a driver ({', '.join(DRIVERS)}) nor a video, image or folder that exists."
        )
    return [SetLaunchConfiguration("image", image or topic)]


def start_camera(context: LaunchContext) -> list[Action]:
    """Return the driver, or the player of the recording.

    A driver's launch file must not see our arguments: some of the same names mean something else there.
    """
    camera = context.launch_configurations["camera"]
    if camera not in DRIVERS:
        return [recording(camera, context)]
    share = share_of_first(DRIVERS[camera][0])
    if camera == "usb_cam":
        driver = usb_cam(context.launch_configurations["video_device"])
    elif camera == "realsense2_camera":
        driver = realsense(share)
    else:
        driver = depthai(share)
    return [PushLaunchConfigurations(), ResetLaunchConfigurations(), driver, PopLaunchConfigurations()]


def usb_cam(video_device: str) -> Action:
    """Return the driver of USB cameras."""
    return Node(
        package="usb_cam",
        executable="usb_cam_node_exe",
        name="usb_cam",
        namespace="/camera",
        # Without this the driver sets the brightness of the camera to a number of its own.
        parameters=[{"video_device": video_device, "brightness": -1}],
        output="screen",
    )


def realsense(share: Path) -> Action:
    """Return the driver of RealSense cameras, without depth."""
    arguments = {"camera_namespace": "camera", "camera_name": "camera", "enable_depth": "false"}
    return IncludeLaunchDescription(str(share / "launch" / "rs_launch.py"), launch_arguments=arguments.items())


def depthai(share: Path) -> Action:
    """Return the driver of OAK cameras: version 3 has driver.launch.py, version 2 camera.launch.py."""
    launch_file = share / "launch" / "driver.launch.py"
    if not launch_file.is_file():
        launch_file = share / "launch" / "camera.launch.py"
    return IncludeLaunchDescription(str(launch_file), launch_arguments={"name": "oak"}.items())


def recording(source: str, context: LaunchContext) -> Action:
    """Return our player of videos and images."""
    name = "video_source_node"
    pushed = context.launch_configurations.get("ros_namespace")
    namespace = f"/{prefix_namespace(pushed, context.launch_configurations['namespace'])}".replace("//", "/")
    return Node(
        package="dfer_ros",
        executable=name,
        name=name,
        namespace=namespace,
        parameters=[
            *changed_parameters(name),
            {"source": ParameterValue(source, value_type=str), "loop": True},
        ],
        remappings=[("image", LaunchConfiguration("image"))],
        ros_arguments=[
            *("--log-level", LaunchConfiguration("log_level")),
            *("--enclave", f"{namespace.rstrip('/')}/{name}"),
        ],
        output="screen",
    )


def share_of_first(packages: list[str]) -> Path:
    """Return the share folder of the first package that is installed; raise a sentence if none is."""
    for package in packages:
        try:
            return Path(get_package_share_directory(package))
        except PackageNotFoundError:
            continue
    debian = packages[-1].replace("_", "-")
    raise RuntimeError(f"The driver {packages[-1]} is not installed: sudo apt install ros-$ROS_DISTRO-{debian}")
