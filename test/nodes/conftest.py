"""The real nodes in real processes over DDS, and a probe that plays the camera and listens."""

import itertools
import os
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import EmotionArray, FaceArray
from dfer_ros.graph.processes import GraphProcesses, transport_environment
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.spinning_thread import SpinningThread
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until
from dfer_ros.streams.stamps import RateLimiter

_counter = itertools.count(1)
PATIENT = ["-p", "max_wait_seconds:=60.0"]
"""On a busy machine a frame may wait a while for its turn."""
EMPTY = np.full((480, 640, 3), 90, np.uint8)
"""An image without faces."""
QUEUE = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture(scope="module")
def _ros():
    os.environ.update(transport_environment())
    rclpy.init(args=[])
    yield
    rclpy.shutdown()


class PatientNodes(GraphProcesses):
    """Node processes that drop no frame because it has waited."""

    def start(self, node, *arguments, **place):
        patient = PATIENT if node in ("face_detector_node", "dfer_node", "perception_node") else ()
        return super().start(node, *patient, *arguments, **place)


@pytest.fixture
def namespace():
    """A namespace of its own for every test."""
    return f"/test{next(_counter)}"


@pytest.fixture
def nodes(namespace):
    """Start nodes in the test's namespace; they are stopped at its end, and must end well."""
    started = PatientNodes(namespace)
    yield started
    codes = started.stop(PATIENCE_SECONDS)
    assert not [line for log in started.logs.values() for line in log if "Traceback" in line]
    assert set(codes.values()) <= {0, 1}


class Probe:
    """A camera and a listener in one node, spinning in a thread of its own."""

    def __init__(self, namespace):
        self.node = rclpy.create_node("probe", namespace=namespace)
        self.faces = []
        self.emotions = []
        self.arrivals = {}
        self.node.create_subscription(FaceArray, "faces", self.faces.append, QUEUE)
        self.node.create_subscription(EmotionArray, "emotions", self._on_emotions, QUEUE)
        self._publishers = {}
        self._clients = {}
        self._fed = 0.0
        self._spinning = SpinningThread(self.node)

    def close(self):
        self._spinning.close()
        self.node.destroy_node()

    def _on_emotions(self, message):
        self.arrivals[_key(message)] = time.monotonic()
        self.emotions.append(message)

    def publisher(self, message_type=Image, topic="image", reliability=ReliabilityPolicy.RELIABLE):
        key = (message_type, topic, reliability)
        if key not in self._publishers:
            quality = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)
            self._publishers[key] = self.node.create_publisher(message_type, topic, quality)
        return self._publishers[key]

    def client(self, service_type, service):
        """Return a client of a service that is there."""
        known = service in self._clients
        client = self._clients[service] if known else self.node.create_client(service_type, service)
        self._clients[service] = client
        assert client.wait_for_service(PATIENCE_SECONDS), f"there is no service {service}"
        if not known:
            time.sleep(0.3)  # the service finds the client as well: until then its answer would be lost
        return client

    def stamp(self, message, seconds=None):
        """Stamp a message with a time, or with now."""
        now = self.node.get_clock().now().nanoseconds if seconds is None else round(seconds * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        message.header.frame_id = "camera"
        return message

    def image(self, pixels, seconds=None):
        """Return an image message of pixels [H, W, 3] BGR."""
        message = Image()
        fill_image(message, pixels)
        return self.stamp(message, seconds)

    def play(self, frames, rate=20.0, publisher=None, stamps=None):
        """Publish frames at a rate and return their stamps."""
        publisher = publisher or self.publisher()
        sent = []
        for index, frame in enumerate(frames):
            message = self.image(frame, None if stamps is None else stamps[index])
            publisher.publish(message)
            sent.append(_key(message))
            time.sleep(1.0 / rate)
        return sent

    def feed(self, frames, answers=None, stamps=None, pause=0.0):
        """Publish frames, each as soon as the one before is answered, and return their stamps.

        So a busy machine drops none, and an idle one does not wait. answers: where the answers come (by default the
        emotions). stamps: seconds; else 50 ms apart, as in an old bag. pause: seconds for others who answer as well.
        """
        if stamps is None:
            stamps = [self._fed + index / 20 for index in range(1, len(frames) + 1)]
            self._fed = stamps[-1]
        messages = [self.image(frame, stamp) for frame, stamp in zip(frames, stamps)]
        return self.ask(messages, self.publisher(), answers, pause)

    def feed_more_than(self, frame_rate, frames):
        """Publish frames whose stamps are 50 ms apart to a detector that answers at most so many a second."""
        limiter = RateLimiter(frame_rate)
        for index, frame in enumerate(frames):
            stamp = 100.0 + index / 20
            if limiter.accepts(stamp):
                self.feed([frame], self.faces, [stamp])
            else:
                self.play([frame], rate=10.0, stamps=[stamp])

    def ask(self, messages, publisher, answers=None, pause=0.0):
        """Publish messages, each as soon as the one before is answered, and return their stamps."""
        answers = self.emotions if answers is None else answers
        for message in messages:
            assert self._is_answered(message, publisher, answers), f"{_key(message)} was not answered"
            time.sleep(pause)
        return [_key(message) for message in messages]

    def _is_answered(self, message, publisher, answers, seconds=PATIENCE_SECONDS):
        """Publish a message, and return whether it was answered in time."""
        before = len(answers)
        publisher.publish(message)
        return wait_until(lambda: any(_key(one) == _key(message) for one in answers[before:]), seconds)

    def wait_for_camera(self, image_listeners=1, topic="image"):
        """Wait until the camera is heard, as reliably as it speaks."""
        heard = self.node.resolve_topic_name(topic)
        assert wait_until(lambda: self.node.count_subscribers(heard) >= image_listeners), "nobody hears the camera"
        offered = {info.qos_profile.reliability for info in self.node.get_publishers_info_by_topic(heard)}
        if offered == {ReliabilityPolicy.RELIABLE}:
            as_offered = [ReliabilityPolicy.RELIABLE] * self.node.count_subscribers(heard)
            assert wait_until(lambda: self.reliabilities(heard) == as_offered), "the reliability is not the camera's"

    def wait_for_graph(self, image_listeners=1, emotions=True, topic="image", face_listeners=2):
        """Wait until the camera is heard and, unless told otherwise, somebody answers; return how often it was.

        That this process sees both nodes does not mean that they have found each other: only an answer does.
        face_listeners: the probe and dfer_node; in perception_node dfer_node needs no topic.
        """
        answers = self.node.resolve_topic_name("emotions")
        faces = self.node.resolve_topic_name("faces")
        self.wait_for_camera(image_listeners, topic)
        if emotions:
            assert wait_until(lambda: self.node.count_publishers(answers) and self.node.count_publishers(faces))
            assert wait_until(lambda: self.node.count_subscribers(faces) >= face_listeners), "dfer_node hears no faces"
        time.sleep(0.3)  # those who were found find each other
        camera = self._publishers.get((Image, topic, ReliabilityPolicy.RELIABLE))
        if not emotions or not camera:
            return 0
        self.wait_until_answered(camera, self.emotions)
        count = len(self.emotions)
        for heard in (self.faces, self.emotions, self.arrivals):
            heard.clear()
        return count

    def wait_until_answered(self, publisher, answers):
        """Publish images with nobody in them until one is answered."""

        def empty():
            self._fed += 1 / 20
            return self.image(EMPTY, self._fed)

        self.wait_until_heard(empty, publisher, answers)
        self._fed += 1.0  # the next image is looked at as if it were the first

    def wait_until_heard(self, make, publisher, answers=None):
        """Publish messages until one is answered; make: returns the next one. answers: by default the emotions."""
        answers = self.emotions if answers is None else answers
        assert wait_until(lambda: self._is_answered(make(), publisher, answers, 5.0)), (
            f"nobody answers; {len(self.faces)} FaceArrays came"
        )

    def answered(self, stamps):
        """Return how many of these stamps were answered."""
        return sum(stamp in self.arrivals for stamp in stamps)

    def reliabilities(self, topic):
        """Return the reliability that each subscriber of a topic asks for."""
        return [info.qos_profile.reliability for info in self.node.get_subscriptions_info_by_topic(topic)]

    def compressed(self, data, seconds=None):
        """Return a compressed image message of bytes."""
        return self.stamp(CompressedImage(format="jpeg", data=data), seconds)


def _key(message):
    return message.header.stamp.sec, message.header.stamp.nanosec


@pytest.fixture
def probe(_ros, namespace):
    """A camera and listener in the test's namespace."""
    made = Probe(namespace)
    yield made
    made.close()


@pytest.fixture(scope="session")
def clips_pack():
    """The pack of real clips."""
    pack = Path(__file__).resolve().parents[3] / "shared" / "data" / "dynamic_clips.zip"
    if not pack.is_file():
        pytest.skip(f"the real clips are not on this machine: {pack.name} is looked for in ../shared/data")
    return pack


@pytest.fixture
def diagnostics(probe):
    """The newest status of each stream of this test's nodes, by the name after the namespace."""
    statuses = {}

    def receive(message):
        for status in message.status:
            if status.name.startswith(probe.node.get_namespace()):
                statuses[status.name.removeprefix(f"{probe.node.get_namespace()}/")] = status

    probe.node.create_subscription(DiagnosticArray, "/diagnostics", receive, 50)
    return statuses
