#!/bin/bash
# healthcheck.sh NODE: healthy while a lifecycle node is active.
source /opt/dfer/install/setup.bash
# Every ROS process makes a log file: those of this command go with it, or they would fill the memory in weeks.
ROS_LOG_DIR=$(mktemp --directory)
export ROS_LOG_DIR
trap 'rm -rf "${ROS_LOG_DIR}"' EXIT
ros2 lifecycle get --no-daemon "$1" | grep --quiet '^active'
