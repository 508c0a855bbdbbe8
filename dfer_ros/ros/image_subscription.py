"""The subscription to a camera: raw or compressed, newest image only, with the reliability that the camera offers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from dfer_ros.core.parameter import parameter
from dfer_ros.ros.frame_subscription import FrameSubscription
from dfer_ros.ros.topics import latest_only

_RELIABILITIES = {"reliable": ReliabilityPolicy.RELIABLE, "best_effort": ReliabilityPolicy.BEST_EFFORT}
_COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
_COMPRESSED = "/compressed"
"""What image_transport puts after the name of a topic for its compressed images."""
_PERIOD_SECONDS = 0.1
_CAMERA_PERIODS = 10
"""Looks for a camera before it is listened for without knowing how it sends: one second."""
_PAUSE_SECONDS = 0.5
"""Time between two subscriptions of this process to one topic.

A reader that is made while another one of its process still gets images may be sent the rest of an image, and then be
told that this image is not for it. Fast DDS (2.0 to 3.6) forgets only half of it: to take from that reader never ends
and keeps Python's lock, or no image comes any more. Without a pause that happened four times in 80 changes, with a
quarter of a second in none of 300.
"""
_left_at: dict[str, float] = {}
"""When this process listened to a topic last, by the monotonic clock: whoever activates a node again waits as well."""
_FIRST_IMAGE_PERIODS = 100
"""Looks after which a camera that never sent an image is named: ten seconds."""
_STALLED_PERIODS = 20
"""Looks after which a camera that stopped is named: two seconds."""


@dataclass(frozen=True)
class ImageConfig:
    """How the images of a camera come."""

    image_transport: str = parameter("raw", "Transport of the input image.", choices=("raw", "compressed"))
    image_reliability: str = parameter(
        "auto",
        "Reliability asked of the camera; auto follows what it offers.",
        choices=("auto", "reliable", "best_effort"),
    )


class ImageSubscription:
    """Calls on_image with every image of the topic `image`, as image_transport names it.

    Compressed images come on <image>/compressed, where `image` may end so already, or on `image` itself.
    With `image_reliability` auto the subscription is reliable where all publishers are, and follows them: a reliable
    one would never hear a best-effort camera. It waits a second for a camera to say what it is, and half a second
    before this process listens to a topic again.
    A camera that stops is named once, and again when it is back.
    """

    def __init__(self, node: Node, config: ImageConfig, on_image: Callable[[Image | CompressedImage], None]) -> None:
        self._node = node
        self._on_image = on_image
        compressed = config.image_transport == "compressed"
        self._type = CompressedImage if compressed else Image
        base = node.resolve_topic_name("image")
        stem = base.removesuffix(_COMPRESSED) if compressed else base
        self._topics = [node.resolve_topic_name(f"{stem}{_COMPRESSED}"), stem] if compressed else [base]
        self.topic = self._topics[0]
        self._asked = _RELIABILITIES.get(config.image_reliability)
        self._reliability: ReliabilityPolicy | None = None
        self._subscription: FrameSubscription[Image | CompressedImage] | None = None
        self._periods_to_wait = _CAMERA_PERIODS
        self._arrived = False
        self._idle_periods = 0
        self._patience = _FIRST_IMAGE_PERIODS
        # By the wall: a simulated clock may stand still just when a camera is missing.
        self._timer = node.create_timer(
            _PERIOD_SECONDS, self._follow_the_camera, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._listen()

    def close(self) -> None:
        """Stop listening."""
        self._node.destroy_timer(self._timer)
        self._stop_listening()

    def _receive(self, message: Image | CompressedImage) -> None:
        self._arrived = True
        self._on_image(message)

    def _follow_the_camera(self) -> None:
        self._listen()
        if self._arrived:
            if self._idle_periods >= self._patience:
                self._node.get_logger().info(f"Images arrive on {self.topic}.")
            self._arrived, self._idle_periods, self._patience = False, 0, _STALLED_PERIODS
            return
        self._idle_periods += 1
        if self._idle_periods == self._patience:
            seconds = self._patience * _PERIOD_SECONDS
            self._node.get_logger().warning(f"No image for {seconds:.0f} s on {self.topic}: {self._likely_reason()}")

    def _likely_reason(self) -> str:
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        types = {info.topic_type for info in publishers}
        if not publishers:
            beside = f"{self.topic}{_COMPRESSED}"
            if self._type is Image and self._node.get_publishers_info_by_topic(beside):
                return f"compressed images come on {beside}; set image_transport:=compressed."
            return "nobody publishes it; is the camera running, and its topic remapped (image:=/your/topic)?"
        if _COMPRESSED_TYPE in types and self._type is Image:
            return "its images are compressed; set image_transport:=compressed."
        if self._type is not Image and _COMPRESSED_TYPE not in types:
            return "its images are raw; set image_transport:=raw."
        if self._asked == ReliabilityPolicy.RELIABLE:
            return "its publisher may be best effort; set image_reliability:=auto."
        return "its publisher is there but sends nothing; look at the camera driver."

    def _listen(self) -> None:
        """Subscribe as the camera is, and unsubscribe where it is not what it was."""
        if len(self._topics) > 1:
            self._follow_the_name()
        wanted = self._asked or self._offered_reliability()
        if self._subscription is not None:
            if wanted not in (None, self._reliability):
                self._stop_listening()
            return
        if time.monotonic() < _left_at.get(self.topic, -math.inf) + _PAUSE_SECONDS:
            return
        if wanted is None and self._periods_to_wait:
            self._periods_to_wait -= 1
            return
        self._reliability = wanted or self._reliability or ReliabilityPolicy.BEST_EFFORT
        quality = latest_only(self._reliability)
        self._subscription = FrameSubscription(self._node, self._type, self.topic, self._receive, quality)

    def _stop_listening(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
            _left_at[self.topic] = time.monotonic()

    def _follow_the_name(self) -> None:
        """Listen where compressed images are: of the names that `image` may mean, the first that has any."""
        for topic in self._topics:
            if any(info.topic_type == _COMPRESSED_TYPE for info in self._node.get_publishers_info_by_topic(topic)):
                if topic != self.topic:
                    self._stop_listening()
                    self.topic = topic
                    self._node.get_logger().info(f"Compressed images are on {topic}: listening there.")
                return

    def _offered_reliability(self) -> ReliabilityPolicy | None:
        """Return the reliability that fits all publishers, None where there is none."""
        offered = [info.qos_profile.reliability for info in self._node.get_publishers_info_by_topic(self.topic)]
        if not offered:
            return None
        all_reliable = all(policy == ReliabilityPolicy.RELIABLE for policy in offered)
        return ReliabilityPolicy.RELIABLE if all_reliable else ReliabilityPolicy.BEST_EFFORT
