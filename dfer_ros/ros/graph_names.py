"""Names of topics and namespaces, as people type them."""

from __future__ import annotations

from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace

from dfer_ros.core.errors import DferError
from dfer_ros.ros.topic_names import is_topic


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
