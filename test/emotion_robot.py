"""A robot beside the command that is tested."""

import rclpy
from rclpy.context import Context
from rclpy.qos import QoSProfile, ReliabilityPolicy

from dfer_msgs.msg import EmotionArray
from dfer_ros.ros.spinning_thread import SpinningThread


class Robot:
    """A node that publishes emotions at 20 Hz, on several topics, and spins."""

    def __init__(self):
        self._context = Context()
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node("robot", context=self._context)
        self._publishers = {}
        self.node.create_timer(0.05, self._publish)
        self._spinning = SpinningThread(self.node)

    def publish(self, topic, emotions, reliability=ReliabilityPolicy.RELIABLE):
        quality = QoSProfile(depth=10, reliability=reliability)
        self._publishers[topic] = (self.node.create_publisher(EmotionArray, topic, quality), emotions)

    def stop(self, topic):
        publisher, _ = self._publishers.pop(topic)
        self.node.destroy_publisher(publisher)

    def _publish(self):
        for publisher, emotions in list(self._publishers.values()):
            message = EmotionArray(emotions=emotions)
            message.header.stamp = self.node.get_clock().now().to_msg()
            publisher.publish(message)

    def close(self):
        self._spinning.close()
        self.node.destroy_node()
        self._context.shutdown()
