"""Those who speak and listen to behaviours, over real DDS."""

import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Float32, String

from dfer_msgs.msg import EmotionArray
from dfer_ros.behavior import EmotionStatesConfig
from dfer_ros.behavior.testing import ScriptedPeople
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until

QUICK = EmotionStatesConfig(settle_seconds=0.2, unsure_seconds=0.4, stale_seconds=0.6, lost_seconds=1.0)
"""For a listener that makes up its mind in less time than a test wants to wait."""


class Spun:
    """Spins nodes in a thread of their own while the `with` lasts."""

    def __init__(self, *nodes, executor=None):
        self.executor = executor or SingleThreadedExecutor()
        for node in nodes:
            self.executor.add_node(node)
        self.thread = threading.Thread(target=self._spin, daemon=True)

    def _spin(self):
        while not self._ended.is_set():
            self.executor.spin_once(timeout_sec=0.05)

    def __enter__(self):
        self._ended = threading.Event()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.thread.join()
        for node in list(self.executor.get_nodes()):
            self.executor.remove_node(node)
        self.executor.shutdown()


class Reader(ScriptedPeople):
    """Says on `emotions` of the test's namespace, as dfer_node does, what people feel."""

    def __init__(self, namespace):
        super().__init__(namespace=namespace, topic="emotions")

    def topic(self, camera=""):
        """Return the full name of the topic, of one camera of several."""
        return self.node.resolve_topic_name(f"{camera}/emotions" if camera else "emotions")


class Audience:
    """A camera, and one who hears what the examples say, in a node of its own."""

    def __init__(self, namespace):
        self.node = rclpy.create_node("audience", namespace=namespace)
        self.said = []
        self.rates = []
        self.answers = []
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(String, "say", lambda message: self.said.append(message.data), OUTPUT)
        self.node.create_subscription(Float32, "speech_rate", lambda m: self.rates.append(round(m.data, 3)), latched)
        self.node.create_subscription(EmotionArray, "emotions", self.answers.append, OUTPUT)
        self._camera = self.node.create_publisher(Image, "image", OUTPUT)

    def wait_for(self, subscribers):
        """Wait until topics have at least so many subscribers."""
        names = {self.node.resolve_topic_name(topic): count for topic, count in subscribers.items()}
        assert wait_until(lambda: all(self.node.count_subscribers(name) >= n for name, n in names.items()))
        time.sleep(1.0)  # the processes find each other a moment after this one has found them

    def show(self, frames, rate=15.0):
        """Publish images [H, W, 3] BGR as a camera does."""
        for frame in frames:
            message = Image()
            fill_image(message, frame)
            message.header.frame_id = "camera"
            message.header.stamp = self.node.get_clock().now().to_msg()
            self._camera.publish(message)
            time.sleep(1.0 / rate)

    def close(self):
        self.node.destroy_node()
