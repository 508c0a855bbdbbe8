"""What a ROS4HRI robot has around our nodes: somebody who listens as libhri does, and faces to see."""

import threading

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSPresetProfiles
from std_msgs.msg import Header

from dfer_ros.core.faces import Detection, Face
from dfer_ros.ros.waiting import wait_until

_messages = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")
Expression = _messages.Expression
IdsList = _messages.IdsList
NormalizedRegionOfInterest2D = _messages.NormalizedRegionOfInterest2D

TRACKED = "/humans/faces/tracked"


class Spinning:
    """A plain node that spins in a thread of its own; errors: what its callbacks raised."""

    def __init__(self, name):
        self.node = rclpy.create_node(name)
        self.errors = []
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def hear(self, message_type, topic):
        """Return the list to which the messages of a topic are added, heard as libhri hears them."""
        heard = []
        quality = QoSPresetProfiles.SYSTEM_DEFAULT.value
        self.node.create_subscription(message_type, topic, heard.append, quality)
        return heard

    def call(self, function):
        """Have a function called between two callbacks: what it destroys is waited for at any other time."""
        task = self._executor.create_task(function)
        assert wait_until(task.done)

    def publishers(self, topic):
        """Return the endpoint ids of the publishers of a topic."""
        return [tuple(info.endpoint_gid) for info in self.node.get_publishers_info_by_topic(topic)]

    def close(self):
        self._closing.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()

    def _spin(self):
        while not self._closing.is_set():
            try:
                self._executor.spin_once(timeout_sec=0.05)
            except Exception as error:
                self.errors.append(error)


class Robot:
    """Spinning nodes by name, made when first asked for."""

    def __init__(self):
        self._spinning = {}

    def __getitem__(self, name):
        if name not in self._spinning:
            self._spinning[name] = Spinning(name)
        return self._spinning[name]

    def close(self):
        for one in self._spinning.values():
            one.close()
        raised = [error for one in self._spinning.values() for error in one.errors]
        assert not raised, raised


def header(seconds, frame_id="camera"):
    """Return a header of a time."""
    made = Header(frame_id=frame_id)
    made.stamp.sec, made.stamp.nanosec = divmod(round(seconds * 1e9), 10**9)
    return made


def ids(seconds, *face_ids, frame_id="camera"):
    """Return the list of tracked faces at a time."""
    return IdsList(header=header(seconds, frame_id), ids=face_ids)


def face(face_id, crop, box=(160.0, 120.0, 320.0, 240.0), confidence=0.75):
    """Return a confirmed face."""
    detection = Detection(np.array(box, np.float32), np.zeros((4, 2), np.float32), confidence)
    return Face(face_id, detection, 1.0, crop)
