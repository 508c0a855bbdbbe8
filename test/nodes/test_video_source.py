"""A file, a folder or a webcam as a camera."""

import time

import cv2
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def folder(tmp_path):
    """Ten images, each of one grey, in the order of their names."""
    for index in range(10):
        cv2.imwrite(str(tmp_path / f"frame{index + 1}.png"), np.full((48, 64, 3), 20 * index, np.uint8))
    return tmp_path


@pytest.fixture
def listen(probe):
    """Start to listen and return what comes."""

    def start():
        images = []
        probe.node.create_subscription(Image, "image", images.append, QoSProfile(depth=50))
        return images

    return start


def test_a_folder_is_published_in_order_at_its_rate_and_ends_the_node(nodes, listen, folder):
    images = listen()
    process = nodes.start("video_source_node", "-p", f"source:={folder}", "-p", "rate:=20")
    assert process.wait(60) == 0
    assert wait_until(lambda: len(images) >= 10)  # the last one may still be on its way
    assert [image.data[0] for image in images] == [20 * index for index in range(10)]
    stamps = [image.header.stamp.sec + image.header.stamp.nanosec * 1e-9 for image in images]
    assert stamps[-1] - stamps[0] > 0.9 * 9 / 20
    assert {image.header.frame_id for image in images} == {"camera"}
    assert nodes.lines("video_source_node", "came to its end")


def test_nothing_is_played_before_somebody_listens(nodes, probe, listen, folder):
    process = nodes.start("video_source_node", "-p", f"source:={folder}", "-p", "rate:=50")
    topic = probe.node.resolve_topic_name("image")
    assert wait_until(lambda: probe.node.count_publishers(topic) == 1)
    time.sleep(1.0)
    images = listen()
    assert process.wait(60) == 0
    assert wait_until(lambda: len(images) == 10)


def test_a_loop_begins_again(nodes, listen, folder):
    images = listen()
    # A publisher keeps ten images for a listener that is busy: at 20 Hz it may be so for half a second.
    process = nodes.start("video_source_node", "-p", f"source:={folder}", "-p", "rate:=20", "-p", "loop:=true")
    assert wait_until(lambda: len(images) >= 25)
    assert [image.data[0] for image in images[10:20]] == [20 * index for index in range(10)]
    assert process.poll() is None


def test_a_video_is_played_at_its_own_rate(nodes, listen, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoOutput(path, 12.0) as video:
        for frame in clip[:20]:
            video.write(frame)
    images = listen()
    assert nodes.start("video_source_node", "-p", f"source:={path}").wait(60) == 0
    assert wait_until(lambda: len(images) >= 20)
    stamps = [image.header.stamp.sec + image.header.stamp.nanosec * 1e-9 for image in images]
    assert stamps[-1] - stamps[0] > 0.9 * 19 / 12
    assert len(images) == 20


def test_a_camera_that_is_not_there_is_told(nodes):
    assert nodes.start("video_source_node", "-p", "source:='63'").wait(60) == 1
    assert wait_until(lambda: nodes.lines("video_source_node", "Camera 63 cannot be opened"))
