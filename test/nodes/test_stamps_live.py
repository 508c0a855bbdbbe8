"""Cameras whose stamps say nothing, and images of no use between good ones: every good image is answered."""

import itertools
import time

import cv2
import pytest
from sensor_msgs.msg import CompressedImage
from status_values import values

from dfer_msgs.msg import Face, FaceArray
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.waiting import wait_until
from dfer_ros.streams.statistics import DropReason

PERIOD = 0.05
KINDS = {
    "frozen": lambda times, index: times[0],
    "whole seconds": lambda times, index: float(int(times[index])),
    "twice": lambda times, index: times[index // 2 * 2],
    "every third missing": lambda times, index: times[index] if index % 3 else 0.0,
    "missing": lambda times, index: 0.0,
    "far ahead": lambda times, index: times[index] + 1e6,
    "backwards": lambda times, index: times[0] - index,
}
"""The stamp of an image; times: when it and those before it were taken."""
STREAMS = ("face_detector_node: image", "dfer_node: faces")


def now(probe):
    return probe.node.get_clock().now().nanoseconds * 1e-9


def answered(probe, publisher, message, excuses=lambda: 0):
    """Publish a message, and return whether one more was answered; excuses: counts reasons why it need not be."""
    before, excused = len(probe.emotions), excuses()
    publisher.publish(message)
    wait_until(lambda: len(probe.emotions) > before or excuses() > excused)
    return len(probe.emotions) == before + 1


def too_soon(diagnostics):
    """Return how many images and faces both nodes have dropped as they came too soon after others."""
    told = [values(diagnostics[name]) for name in STREAMS if name in diagnostics]
    return sum(int(one[f"dropped: {DropReason.FRAME_RATE.value}"]) for one in told)


def test_a_camera_is_answered_whatever_its_stamps_are(nodes, probe, clip, diagnostics):
    # Where a stamp that tells its time follows those that do not, the time between may be short: too short for 30 Hz,
    # and once in a hundred times for 240. And no image is too old for a machine that has much else to do.
    every_image = ("-p", "frame_rate:=240.0", "-p", "max_wait_seconds:=60.0")
    nodes.start("face_detector_node", *every_image)
    nodes.start("dfer_node", "-p", "precision:=int8", *every_image)
    camera = probe.publisher()
    probe.wait_for_graph()
    missed = []
    for kind, stamp_of in KINDS.items():
        times = []
        for index, frame in enumerate(clip[:12]):
            times.append(now(probe))
            image = probe.image(frame, stamp_of(times, index))
            if answered(probe, camera, image, lambda: too_soon(diagnostics)):
                assert probe.emotions[-1].header.stamp == image.header.stamp, "headers are never changed"
            else:
                missed.append(f"{kind}: image {index}")
            time.sleep(PERIOD)
    assert len(missed) <= min(too_soon(diagnostics), 2), missed


def test_stamps_that_stand_still_are_named_by_both_nodes(nodes, probe, clip, diagnostics):
    # The level is that of the stamps alone: no answer is too late for a machine that has much else to do.
    any_latency = ("-p", "latency_warn_seconds:=60.0", "-p", "latency_error_seconds:=60.0")
    nodes.start("face_detector_node", *any_latency)
    nodes.start("dfer_node", "-p", "precision:=int8", *any_latency)
    camera = probe.publisher()
    probe.wait_for_graph()
    begin, frames = now(probe), itertools.cycle(clip)

    def is_named():
        assert answered(probe, camera, probe.image(next(frames), begin))
        time.sleep(PERIOD)
        told = [diagnostics[name].message for name in STREAMS if name in diagnostics]
        return len(told) == len(STREAMS) and all("The stamps of the images stand still" in one for one in told)

    assert wait_until(is_named, 60.0)
    for name in STREAMS:
        assert diagnostics[name].level == b"\x01"
        assert "of the frames are dropped" not in diagnostics[name].message
        assert int(values(diagnostics[name])["repeated stamps in 5 s"]) > 2
    for node in ("face_detector_node", "dfer_node"):
        assert len(nodes.lines(node, "The stamps of the images")) == 1


def unknown_encoding(message):
    message.encoding = "cmyk9"


def truncated(message):
    message.data = message.data[: len(message.data) // 2]


def pairs(frames, good, spoil):
    """Yield a message of no use and the good one that follows it at once, 50 ms after the pair before."""
    for index, frame in enumerate(frames):
        message, bad = good(frame, 100.0 + index * PERIOD), good(frame, 100.0 + index * PERIOD - 0.002)
        spoil(bad)
        yield bad, message


@pytest.mark.parametrize("spoil", [unknown_encoding, truncated])
def test_an_image_of_no_use_takes_no_time_from_the_good_one_after_it(nodes, probe, clip, spoil):
    nodes.start("face_detector_node")
    camera = probe.publisher()
    probe.wait_for_graph(emotions=False)
    for bad, good in pairs(clip[:15], probe.image, spoil):
        camera.publish(bad)
        time.sleep(0.005)
        probe.ask([good], camera, probe.faces)
    assert len(probe.faces) == 15


def test_a_compressed_image_of_no_use_takes_no_time_from_the_good_one_after_it(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", "image_transport:=compressed")
    camera = probe.publisher(CompressedImage, "image/compressed")
    probe.wait_for_graph(emotions=False, topic="image/compressed")

    def jpeg(frame, stamp):
        return probe.compressed(cv2.imencode(".jpg", frame)[1].tobytes(), stamp)

    for bad, good in pairs(clip[:15], jpeg, lambda bad: setattr(bad, "data", b"this is no JPEG")):
        camera.publish(bad)
        time.sleep(0.005)
        probe.ask([good], camera, probe.faces)
    assert len(probe.faces) == 15


def test_faces_of_no_use_take_no_time_from_the_good_ones_after_them(nodes, probe, clip, aligned_crop):
    nodes.start("dfer_node", "-p", "precision:=int8")
    faces = probe.publisher(FaceArray, "faces")
    assert wait_until(lambda: faces.get_subscription_count() == 2)  # the probe listens as well

    def seen(_, stamp):
        message = probe.stamp(FaceArray(faces=[Face(id="anna", quality=0.9, confidence=0.9)]), stamp)
        fill_image(message.faces[0].aligned, aligned_crop)
        return message

    def spoil(message):
        message.faces[0].aligned.encoding = "cmyk9"

    probe.wait_until_heard(lambda: seen(None, now(probe)), faces)
    probe.emotions.clear()
    for bad, good in pairs(clip[:15], seen, spoil):
        faces.publish(bad)
        time.sleep(0.005)
        probe.ask([good], faces)
    assert len(probe.emotions) == 15
