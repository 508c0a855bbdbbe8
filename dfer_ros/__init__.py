"""Dynamic facial expression recognition for social robots on ROS 2."""

__version__ = "0.1.0"
