"""The overlay: what is seen, drawn, while somebody looks."""

import numpy as np
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import FaceArray
from dfer_ros.nodes.overlay_node import _Inputs
from dfer_ros.ros.image_conversion import to_bgr
from dfer_ros.ros.image_subscription import ImageConfig
from dfer_ros.ros.waiting import wait_until


def test_it_listens_to_nothing_until_somebody_looks_and_after(nodes, probe):
    nodes.start("overlay_node")
    overlay, image = probe.node.resolve_topic_name("overlay"), probe.node.resolve_topic_name("image")
    assert wait_until(lambda: probe.node.count_publishers(overlay) == 1)
    assert probe.node.count_subscribers(image) == 0
    looking = probe.node.create_subscription(Image, "overlay", lambda _: None, QoSProfile(depth=1))
    assert wait_until(lambda: probe.node.count_subscribers(image) == 1)
    probe.node.executor.create_task(probe.node.destroy_subscription, looking)
    assert wait_until(lambda: probe.node.count_subscribers(image) == 0)


def test_the_image_comes_back_with_a_box_and_its_stamp(nodes, probe, clip):
    seen = []
    probe.node.create_subscription(Image, "overlay", seen.append, QoSProfile(depth=10))
    for node in ("face_detector_node", "dfer_node", "overlay_node"):
        nodes.start(node)
    probe.publisher()
    probe.wait_for_graph(image_listeners=2)
    probe.wait_until_answered(probe.publisher(), seen)
    seen.clear()
    sent = probe.feed(clip[:30], seen)
    last = seen[-1]
    assert (last.header.stamp.sec, last.header.stamp.nanosec) == sent[-1]
    drawn = to_bgr(last)
    changed = np.argwhere((drawn != clip[29]).any(axis=2))
    face = probe.faces[-1].faces[0].roi
    top, left = changed.min(axis=0)
    assert abs(left - face.x_offset) < 40
    assert abs(top - face.y_offset) < 40


def test_the_overlay_comes_as_jpeg_as_well(nodes, probe, clip):
    seen = []
    probe.node.create_subscription(CompressedImage, "overlay/compressed", seen.append, QoSProfile(depth=10))
    for node in ("face_detector_node", "overlay_node"):
        nodes.start(node)
    probe.publisher()
    probe.wait_for_graph(image_listeners=2, emotions=False)
    assert wait_until(lambda: probe.feed(clip[:1], probe.faces, pause=0.03) and seen)
    assert seen[-1].format == "bgr8; jpeg compressed bgr8"
    drawn = to_bgr(seen[-1])
    assert drawn.shape == clip[0].shape
    assert probe.node.count_publishers(probe.node.resolve_topic_name("overlay")) == 1


def test_images_whose_faces_never_come_do_not_pile_up(_ros, probe, clip):
    """At 4K, a second of images would be hundreds of megabytes."""
    scenes = []
    inputs = _Inputs(probe.node, ImageConfig(), scenes.append)
    for index in range(40):
        inputs._on_image(probe.image(clip[0], 100.0 + index / 60))
    assert len(inputs._images) <= 6
    faces = FaceArray(header=probe.image(clip[0], 100.0 + 37 / 60).header)
    inputs._on_faces(faces)
    assert len(scenes) == 1, "the newest ones still wait for theirs"
    inputs.close()
