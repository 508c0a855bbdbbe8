"""Who a face belongs to, where a person manager of ROS4HRI (REP-155) says so."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription
from std_msgs.msg import String

from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.ros.topics import latest_only

PERSONS_TOPIC = "/humans/persons/tracked"
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""How a manager publishes what changes seldom."""


class PersonIds:
    """Follows /humans/persons/tracked and the face_id of everybody on it; group: of its callbacks.

    Raises BehaviorError where hri_msgs is not installed.
    """

    def __init__(self, node: Node, group: CallbackGroup) -> None:
        try:
            messages: Any = importlib.import_module("hri_msgs.msg")
        except ImportError as error:
            raise BehaviorError(
                "To follow persons (persons=True) a listener needs hri_msgs, which is not installed: "
                "run 'sudo apt install ros-$ROS_DISTRO-hri-msgs'."
            ) from error
        self._node, self._group = node, group
        self._faces: dict[str, str] = {}
        self._of_person: dict[str, Subscription] = {}
        self._tracked = node.create_subscription(
            messages.IdsList, PERSONS_TOPIC, self._on_tracked, latest_only(), callback_group=group
        )

    def person_of(self, face_id: str) -> str:
        """Return the id of the person whose face this is, or nothing where nobody says."""
        return next((person for person, face in list(self._faces.items()) if face == face_id), "")

    def close(self) -> None:
        """Listen no more."""
        self._node.destroy_subscription(self._tracked)
        self._follow(set())

    def _on_tracked(self, message: Any) -> None:
        self._follow(set(message.ids))

    def _follow(self, persons: set[str]) -> None:
        for person in self._of_person.keys() - persons:
            self._node.destroy_subscription(self._of_person.pop(person))
            self._faces.pop(person, None)
        for person in persons - self._of_person.keys():
            self._of_person[person] = self._node.create_subscription(
                String,
                f"/humans/persons/{person}/face_id",
                partial(self._on_face, person),
                _LATCHED,
                callback_group=self._group,
            )

    def _on_face(self, person: str, message: String) -> None:
        if message.data:
            self._faces[person] = message.data
        else:
            self._faces.pop(person, None)
