"""What our parts of ROS4HRI (REP-155) share: its messages, which are optional, and the names of its topics."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from dfer_ros.core.errors import DferError
from dfer_ros.core.parameter import parameter
from dfer_ros.ros.topics import is_topic

TRACKED = "/humans/faces/tracked"


def hri_parameter() -> Any:
    """Return the field of a node's configuration that asks for topics of ROS4HRI."""
    return parameter(False, "Whether the topics of ROS4HRI (REP-155) are published as well; needs hri_msgs.")


def hri_messages() -> ModuleType:
    """Return hri_msgs.msg. Raises DferError where it is not installed."""
    try:
        return importlib.import_module("hri_msgs.msg")
    except ImportError as error:
        raise DferError(
            "The topics of ROS4HRI (parameters hri and input) need hri_msgs, which is not installed: "
            "run 'sudo apt install ros-$ROS_DISTRO-hri-msgs'."
        ) from error


def face_topic(face_id: str, name: str) -> str:
    """Return the topic of a face, such as its `roi`. Raises DferError for an id that no topic can be named after."""
    topic = f"/humans/faces/{face_id}/{name}"
    if "/" in face_id or not is_topic(topic):
        raise DferError(
            f"The face id '{face_id}' cannot be used with ROS4HRI, which names topics after it: "
            "ids are short, of letters, digits and underscores, a letter first."
        )
    return topic
