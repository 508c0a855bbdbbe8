"""Expressions as ROS4HRI (REP-155) publishes them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.labels import UNKNOWN
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.nodes.hri.face_publishers import HriFacePublishers
from dfer_ros.nodes.hri.topics import hri_messages
from dfer_ros.ros.silence_timer import SilenceTimer


class HriExpressions:
    """Publishes /humans/faces/<id>/expression, for each face while it is sure what it shows and somebody subscribes.

    lost_seconds: how long the publisher of a face without emotion is kept, and all of them when nothing comes.
    Raises DferError where hri_msgs is not installed.
    """

    def __init__(self, node: Node, lost_seconds: float = TrackerConfig.lost_seconds) -> None:
        self._type = hri_messages().Expression
        self._publishers = HriFacePublishers(node, {"expression": self._type}, lost_seconds)
        # Emotions are published from the thread of the worker, silence comes in that of the executor.
        self._lock = threading.Lock()
        self._silence = SilenceTimer(node, lost_seconds, self.clear)

    def publish(self, header: Header, now: float, emotions: Sequence[Emotion]) -> None:
        """Publish the emotions of the faces of an image.

        header: the image's. now: the time of the node's clock in seconds.
        REP-155 has no word for unknown: nothing is published for whom it is.
        """
        with self._lock:
            self._silence.heard()
            self._publishers.follow(now, [emotion.face_id for emotion in emotions])
            for emotion in emotions:
                if emotion.expression != UNKNOWN:
                    self._publishers.publish(emotion.face_id, "expression", partial(self._message, header, emotion))

    def clear(self) -> None:
        """Destroy the publishers of all faces; publish() begins anew."""
        with self._lock:
            self._publishers.clear()

    def close(self) -> None:
        """Destroy the publishers of all faces, and stop looking whether any come."""
        self._silence.close()
        self.clear()

    def _message(self, header: Header, emotion: Emotion) -> Any:
        return self._type(
            header=header,
            expression=emotion.expression,
            valence=emotion.valence,
            arousal=emotion.arousal,
            confidence=emotion.confidence,
        )
