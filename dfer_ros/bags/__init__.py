"""Rosbags in and out, without ROS."""
