"""What ROS takes for the name of a topic."""

from __future__ import annotations

from rclpy.exceptions import InvalidTopicNameException
from rclpy.validate_full_topic_name import validate_full_topic_name


def is_topic(name: str) -> bool:
    """Return whether a topic may have this name, which is given from the root on."""
    try:
        validate_full_topic_name(name)
    except InvalidTopicNameException:
        return False
    return True
