"""Those who speak and listen to behaviours, over real DDS."""

import threading
import time

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Float32, String

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.behavior import EmotionStatesConfig
from dfer_ros.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from dfer_ros.graph.processes import wait_until
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.topics import OUTPUT

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


class Reader:
    """Says on `emotions`, as dfer_node does, what people feel."""

    def __init__(self, namespace):
        self.node = rclpy.create_node("reader", namespace=namespace)
        self.publishers = {}

    def close(self):
        self.node.destroy_node()

    def topic(self, camera=""):
        return self.node.resolve_topic_name(f"{camera}/emotions" if camera else "emotions")

    def wait_for_listener(self, camera=""):
        assert wait_until(lambda: self._publisher(camera).get_subscription_count() > 0)
        time.sleep(0.3)  # that one side has found the other does not mean that both have

    def _publisher(self, camera):
        if camera not in self.publishers:
            self.publishers[camera] = self.node.create_publisher(EmotionArray, self.topic(camera), OUTPUT)
        return self.publishers[camera]

    def say(self, expressions, camera="", stamp=None):
        """Publish the expressions by face id, with a stamp in seconds or now; two at once are a tuple."""
        message = EmotionArray(emotions=[_emotion(face_id, name) for face_id, name in expressions.items()])
        now = self.node.get_clock().now().nanoseconds if stamp is None else round(stamp * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        self._publisher(camera).publish(message)

    def keep_saying(self, seconds, rate=20.0, camera="", **expressions):
        for _ in range(round(seconds * rate)):
            self.say(expressions, camera)
            time.sleep(1.0 / rate)

    def say_until(self, condition, camera="", **expressions):
        """Keep saying it until something has happened; return whether it has."""

        def happened():
            self.say(expressions, camera)
            time.sleep(0.04)
            return condition()

        return wait_until(happened)


def _emotion(face_id, expression):
    expression, secondary = (expression, "") if isinstance(expression, str) else expression
    probabilities = np.full(7, 0.05, dtype=np.float32)
    probabilities[EXPRESSIONS.index(expression if expression in EXPRESSIONS else "neutral")] = 0.7
    if secondary:
        probabilities[[EXPRESSIONS.index(expression), EXPRESSIONS.index(secondary)]] = 0.5, 0.25
    valence, arousal = (probabilities @ VALENCE_AROUSAL).tolist()
    return Emotion(
        face_id=face_id,
        expression=expression,
        confidence=float(probabilities.max()),
        secondary=secondary,
        secondary_confidence=0.25 if secondary else 0.0,
        probabilities=probabilities,
        valence=valence,
        arousal=arousal,
        intensity=0.6,
        phase=Emotion.APEX,
        window_seconds=1.5,
        window_frames=20,
    )


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
