#!/bin/sh
# Lets launch start a node of a pip environment: lib/dfer_ros/NODE -> bin/NODE.
exec "$(dirname "$0")/../../bin/$(basename "$0")" "$@"
