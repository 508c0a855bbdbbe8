"""A participant of the graph beside the command that is tested."""

import os
import time

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from dfer_ros.graph.processes import transport_environment
from dfer_ros.ros.spinning_thread import SpinningThread


def quality(reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE, depth=200):
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability)


class Listener:
    """Keeps the bytes of what it hears, in a thread of its own; its context is not that of the command."""

    def __init__(self, name="listener"):
        os.environ.update(transport_environment())
        self._context = Context()
        rclpy.init(args=[], context=self._context)
        self.node = Node(name, context=self._context)
        self.heard = {}
        self.arrived = {}
        self._spinning = SpinningThread(self.node)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._spinning.close()
        self.node.destroy_node()
        self._context.try_shutdown()

    def listen(self, kind, topic, profile=None):
        """Keep the serialized messages of a topic, and when they arrived."""
        heard, arrived = self.heard.setdefault(topic, []), self.arrived.setdefault(topic, [])

        def receive(data):
            arrived.append(time.monotonic())
            heard.append(data)

        self.node.create_subscription(kind, topic, receive, profile or quality(), raw=True)

    def publishers(self, topic):
        return self.node.get_publishers_info_by_topic(topic)
