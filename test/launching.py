"""A launch file started as `ros2 launch` does, where ROS's launch is installed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dfer_ros.graph.processes import PROFILE_VARIABLES

CHECKOUT = Path(__file__).resolve().parents[1]
# Where launch is absent, `import launch` finds our folder of that name: launch_ros tells the truth.
HAS_LAUNCH = importlib.util.find_spec("launch_ros") is not None
needs_launch = pytest.mark.skipif(not HAS_LAUNCH, reason="launch comes from ROS, not from pip")
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
