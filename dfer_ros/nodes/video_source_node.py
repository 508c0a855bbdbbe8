"""A file, a folder of images or a webcam as a camera -> image."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import Image

from dfer_ros.core.errors import DferError
from dfer_ros.core.parameter import parameter
from dfer_ros.recordings.frame_source import DEFAULT_FPS, INCOMPLETE_CODE, Frame
from dfer_ros.recordings.video import open_source
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.run_node import SourceEnded, run_node
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_for_listeners
from dfer_ros.streams.stamps import RateLimiter

NAME = "video_source_node"
_ARRIVAL_SECONDS = 2.0


@dataclass(frozen=True)
class VideoSourceConfig:
    """What is played, and how."""

    source: str = parameter("", "Video file, folder of images, address, or camera index.")
    rate: float = parameter(0.0, "Images published per second; 0: as recorded, 30 for a folder.", "Hz", 0.0, 240.0)
    loop: bool = parameter(False, "Begin again at the end; otherwise the node ends with its source.")
    frame_id: str = parameter("camera", "Frame id of the published images.")


class VideoSourceNode(Node):
    """Publishes `image`, stamped with the time of publishing.

    A recording waits until somebody subscribes, so that nobody misses its beginning, and ends the node at its end; with
    INCOMPLETE_CODE where not all of it could be read.
    """

    def __init__(self) -> None:
        super().__init__(NAME)
        self._config = declare_parameters(self, VideoSourceConfig())
        if not self._config.source:
            raise DferError(
                "Parameter 'source' is empty: set it to a video file, a folder of images, an address or a camera index."
            )
        self._source = open_source(self._config.source, self._config.rate or DEFAULT_FPS)
        self._publisher = self.create_publisher(Image, "image", OUTPUT)
        self._closing = threading.Event()
        self._ended = self.create_guard_condition(self._on_end)
        self._failure: DferError | None = None
        self._thread = threading.Thread(target=self._play, name="video_source", daemon=True)
        self._thread.start()
        self.get_logger().info(f"Publishing {self._config.source} on {self.resolve_topic_name('image')}.")

    def close(self) -> None:
        """End the thread that reads the source."""
        self._closing.set()
        self._thread.join()

    def _play(self) -> None:
        try:
            # So that nobody misses the beginning of a recording.
            if not self._source.live:
                wait_for_listeners(self._publisher.get_subscription_count, self._closing)
            for frame in self._paced():
                if self._closing.is_set():
                    return
                self._publish(frame)
            # A publisher that is destroyed takes along what has not arrived: the last image of a recording.
            self._publisher.wait_for_all_acked(Duration(seconds=_ARRIVAL_SECONDS))
        except DferError as error:
            self._failure = error
        self._ended.trigger()

    def _paced(self) -> Iterator[Frame]:
        """Yield the frames of a recording when they are due, those of a camera as they come, at most at the rate."""
        rate = self._config.rate
        if self._source.live:
            limiter = RateLimiter(rate or math.inf)
            yield from (frame for frame in self._source.frames() if limiter.accepts(time.monotonic()))
            return
        while True:
            start = None
            for frame in self._source.frames():
                offset = frame.index / rate if rate else frame.stamp
                # To open a source takes time, which is none of the recording.
                start = time.monotonic() - offset if start is None else start
                self._closing.wait(max(0.0, start + offset - time.monotonic()))
                yield frame
            self._report_losses()
            if not self._config.loop:
                return
            self._closing.wait(1.0 / (rate or self._source.fps))

    def _report_losses(self) -> None:
        for sentence in (*self._source.unreadable, *self._source.remarks):
            self.get_logger().warning(sentence)
        self._source.unreadable.clear()
        if self._source.shortfall is not None:
            self.get_logger().warning(f"{self._config.source}: {self._source.shortfall}")

    def _publish(self, frame: Frame) -> None:
        message = Image()
        message.header.frame_id = self._config.frame_id
        fill_image(message, frame.image)
        message.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _on_end(self) -> None:
        if self._failure is not None:
            raise self._failure
        self.get_logger().info("The source came to its end.")
        raise SourceEnded(0 if self._source.shortfall is None else INCOMPLETE_CODE)


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, VideoSourceNode, arguments)


if __name__ == "__main__":
    main()
