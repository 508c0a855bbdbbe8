"""Names of topics and namespaces, as people type them."""

from __future__ import annotations

from rclpy.exceptions import InvalidNamespaceException, InvalidTopicNameException
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace

from dfer_ros.core.errors import DferError


def full_topic(option: str, topic: str) -> str:
    """Return a topic's name from the root on; raises DferError, which names the option, where it is none."""
    name = "/" + topic.removeprefix("/")
    try:
        validate_full_topic_name(name)
    except InvalidTopicNameException as error:
        raise DferError(f"{option} {topic!r} is no name of a topic; one is /dfer/emotions.") from error
    return name


def full_namespace(option: str, namespace: str) -> str:
    """Return a namespace from the root on; raises DferError, which names the option, where it is none."""
    name = "/" + namespace.strip("/")
    try:
        validate_namespace(name)
    except InvalidNamespaceException as error:
        raise DferError(f"{option} {namespace!r} is no namespace; one is /dfer.") from error
    return name
