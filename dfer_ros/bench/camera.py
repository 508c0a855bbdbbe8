"""A camera for benchmarks: made images from memory at an exact rate, and a list of the stamps it sent.

    python -m dfer_ros.bench.camera --faces 8 --stamps FILE --ros-args -r __ns:=/bench

Ends on SIGINT and then writes the stamps of its images, in nanoseconds, one a line.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import Image

from dfer_ros.recordings.demo_clip import crowd_frame
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.quality_of_service import OUTPUT

_IMAGES = 10


def main() -> None:
    """Publish `image` until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, required=True)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--rate", type=float, default=30.0)
    parser.add_argument("--stamps", type=Path, required=True)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    arguments = parser.parse_args(remove_ros_args()[1:])
    node = rclpy.create_node("bench_camera")
    publisher = node.create_publisher(Image, "image", OUTPUT)
    shifts = 4 * np.sin(2 * np.pi * np.arange(_IMAGES) / _IMAGES)
    messages = []
    for shift in shifts:
        message = Image()
        fill_image(message, crowd_frame(arguments.faces, arguments.width, arguments.height, float(shift)))
        messages.append(message)
    stamps: list[int] = []
    start = time.monotonic()
    while not stop.is_set():
        message = messages[len(stamps) % _IMAGES]
        stop.wait(max(0.0, start + len(stamps) / arguments.rate - time.monotonic()))
        message.header.stamp = node.get_clock().now().to_msg()
        stamps.append(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec)
        publisher.publish(message)
    arguments.stamps.write_text("\n".join(map(str, stamps)), encoding="utf-8")
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
