"""Topics: names as people type them, and the two quality of service profiles of this package."""

from __future__ import annotations

from rclpy.exceptions import InvalidNamespaceException, InvalidTopicNameException
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace

from dfer_ros.core.errors import DferError


def is_topic(name: str) -> bool:
    """Return whether a topic may have this name, which is given from the root on."""
    try:
        validate_full_topic_name(name)
    except InvalidTopicNameException:
        return False
    return True


def full_topic(option: str, topic: str) -> str:
    """Return a topic's name from the root on; raises DferError, which names the option, where it is none."""
    name = "/" + topic.removeprefix("/")
    if not is_topic(name):
        raise DferError(f"{option} {topic!r} is no name of a topic; one is /dfer/emotions.")
    return name


def full_namespace(option: str, namespace: str) -> str:
    """Return a namespace from the root on; raises DferError, which names the option, where it is none."""
    name = "/" + namespace.strip("/")
    try:
        validate_namespace(name)
    except InvalidNamespaceException as error:
        raise DferError(f"{option} {namespace!r} is no namespace; one is /dfer.") from error
    return name


OUTPUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Of every publisher: a listener that was busy for a moment, a recorder say, still gets every message."""


def latest_only(reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE) -> QoSProfile:
    """Return the profile of every subscriber: the newest message only."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)
