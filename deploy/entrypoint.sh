#!/bin/bash
# Runs a command with ROS 2 and dfer_ros around it.
set -e
source /opt/dfer/install/setup.bash
exec "$@"
