"""Both nodes as processes: images in, calibrated emotions out."""

import itertools
import time
from functools import partial

import cv2
import pytest
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.ros.waiting import wait_until

CONFIRM_FRAMES = 3


@pytest.fixture(params=["one process", "two processes"])
def graph(request, nodes, probe):
    together = request.param == "one process"
    if together:
        nodes.start("perception_node", "-p", "precision:=int8")
    else:
        nodes.start("face_detector_node")
        nodes.start("dfer_node", "-p", "precision:=int8")
    probe.publisher()
    probe.wait_for_graph(face_listeners=1 if together else 2)
    return nodes


def test_every_image_is_answered_with_its_stamp_and_frame_id(graph, probe, clip):
    sent = probe.feed(clip)
    assert wait_until(lambda: probe.answered(sent) == len(sent)), f"{probe.answered(sent)} of {len(sent)}"
    assert all(message.header.frame_id == "camera" for message in probe.emotions)


def test_a_smile_is_happy_under_one_id_once_it_is_confirmed(graph, probe, clip):
    sent = probe.feed(clip)
    assert wait_until(lambda: probe.answered(sent) == len(sent))
    by_stamp = {(m.header.stamp.sec, m.header.stamp.nanosec): m.emotions for m in probe.emotions}
    counts = [len(by_stamp[stamp]) for stamp in sent]
    assert counts[: CONFIRM_FRAMES - 1] == [0] * (CONFIRM_FRAMES - 1)
    assert set(counts[CONFIRM_FRAMES - 1 :]) == {1}
    emotions = [emotion for stamp in sent for emotion in by_stamp[stamp]]
    assert len({emotion.face_id for emotion in emotions}) == 1
    assert emotions[-1].expression == "happy"


def test_the_fields_of_an_emotion_hold_together(graph, probe, clip):
    sent = probe.feed(clip)
    assert wait_until(lambda: probe.answered(sent) == len(sent))
    emotion = probe.emotions[-1].emotions[0]
    assert abs(sum(emotion.probabilities) - 1.0) < 1e-5
    assert emotion.confidence == emotion.probabilities[EXPRESSIONS.index(emotion.expression)]
    assert emotion.probabilities[emotion.HAPPY] == max(emotion.probabilities)
    assert 0.4 < emotion.intensity <= 1.0
    assert emotion.valence > 0.4
    assert emotion.phase in (emotion.ONSET, emotion.APEX)
    assert 1.0 < emotion.window_seconds <= 2.0
    assert emotion.window_frames <= 32


def test_a_face_carries_its_place_and_its_aligned_crop(graph, probe, clip):
    sent = probe.feed(clip[:20])
    assert wait_until(lambda: probe.answered(sent) == len(sent))
    message = probe.faces[-1]
    assert (message.image_width, message.image_height) == (640, 480)
    face = message.faces[0]
    left_eye, right_eye, nose, mouth = face.landmarks
    assert left_eye.x < nose.x < right_eye.x
    assert left_eye.y < nose.y < mouth.y
    assert face.roi.x_offset < nose.x < face.roi.x_offset + face.roi.width
    assert face.roi.y_offset < nose.y < face.roi.y_offset + face.roi.height
    assert 0.0 < face.quality <= 1.0
    assert (face.aligned.width, face.aligned.height, face.aligned.encoding) == (128, 128, "bgr8")
    assert face.aligned.header == message.header


def test_an_image_without_faces_is_answered_with_an_empty_array(graph, probe, clip):
    empty = clip[0] * 0 + 90
    sent = probe.feed([empty] * 5)
    assert wait_until(lambda: probe.answered(sent) == len(sent))
    assert all(not message.emotions for message in probe.emotions)


def test_a_best_effort_camera_is_heard(nodes, probe, clip):
    camera = probe.publisher(reliability=ReliabilityPolicy.BEST_EFFORT)
    nodes.start("face_detector_node")
    nodes.start("dfer_node", "-p", "precision:=int8")
    probe.wait_for_graph()
    for frame in clip[:10]:
        # In one datagram: best effort sends a larger image in many, of which a busy computer loses one every time.
        probe.wait_until_heard(partial(probe.image, cv2.resize(frame, (160, 120))), camera)


def test_auto_reliability_follows_a_reliable_camera(graph, probe):
    image = probe.node.resolve_topic_name("image")
    assert wait_until(lambda: probe.reliabilities(image) == [ReliabilityPolicy.RELIABLE])


def test_between_two_reliabilities_nothing_is_heard_for_a_moment(nodes, probe):
    """Images that still come to the first subscription would spoil the second one: see ros/image_subscription.py."""
    nodes.start("face_detector_node")
    image = probe.node.resolve_topic_name("image")
    assert wait_until(lambda: probe.reliabilities(image) == [ReliabilityPolicy.BEST_EFFORT])
    probe.publisher()
    assert wait_until(lambda: probe.reliabilities(image) == [])
    assert wait_until(lambda: probe.reliabilities(image) == [ReliabilityPolicy.RELIABLE])


def jpeg(pixels):
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def test_compressed_images_are_read(nodes, probe, clip):
    camera = probe.publisher(CompressedImage, "image/compressed")
    nodes.start("face_detector_node", "-p", "image_transport:=compressed")
    nodes.start("dfer_node", "-p", "precision:=int8")
    probe.wait_for_graph(topic="image/compressed")
    stamps = itertools.count(1.0, 0.05)
    probe.wait_until_heard(lambda: probe.compressed(jpeg(clip[0] * 0 + 90), next(stamps)), camera)
    pictures = [jpeg(frame) for frame in clip[:20]]
    probe.ask([probe.compressed(data, 100.0 + index / 20) for index, data in enumerate(pictures)], camera)
    assert probe.emotions[-1].emotions[0].expression == "happy"


def test_a_remapped_image_topic_takes_its_compressed_neighbour(nodes, probe, clip):
    camera = probe.publisher(CompressedImage, "/front/color/compressed")
    nodes.start("face_detector_node", "-p", "image_transport:=compressed", "-r", "image:=/front/color")
    probe.wait_for_graph(topic="/front/color/compressed", emotions=False)
    camera.publish(probe.compressed(cv2.imencode(".png", clip[0])[1].tobytes()))
    assert wait_until(lambda: len(probe.faces) == 1)


@pytest.mark.parametrize(
    ("published", "remapped"),
    [
        ("/phone/picture", "/phone/picture"),
        ("/hall/picture/compressed", "/hall/picture/compressed"),
        ("/roof/picture", "/roof/picture/compressed"),
    ],
)
def test_compressed_images_are_found_by_the_very_name_of_their_topic(nodes, probe, clip, published, remapped):
    camera = probe.publisher(CompressedImage, published)
    nodes.start("face_detector_node", "-p", "image_transport:=compressed", "-r", f"image:={remapped}")
    picture = cv2.imencode(".jpg", clip[0])[1].tobytes()
    assert wait_until(lambda: camera.publish(probe.compressed(picture)) or probe.faces)


def test_the_latest_image_only_is_answered_when_they_come_too_fast(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", "frame_rate:=240")
    nodes.start("dfer_node", "-p", "precision:=int8", "-p", "frame_rate:=240")
    probe.publisher()
    probe.wait_for_graph()
    sent = probe.play([clip[-1]] * 200, rate=1000.0, stamps=[100.0 + index for index in range(200)])
    assert wait_until(lambda: sent[-1] in probe.arrivals)
    time.sleep(0.5)
    assert probe.answered(sent) < len(sent), "the nodes kept up: nothing was dropped, nothing was tested"
    in_order = sorted(probe.arrivals, key=probe.arrivals.get)
    assert in_order == sorted(in_order), "an old image was answered after a newer one"


def test_cleared_by_a_clock_that_jumps_back_and_answered_again(graph, probe, clip):
    stamps = [1000.0 + index / 20 for index in range(15)]
    sent = probe.feed(clip[:15], stamps=stamps)
    again = probe.feed(clip[:15], stamps=[stamp - 500.0 for stamp in stamps])
    assert wait_until(lambda: probe.answered(sent + again) == len(sent + again))
    ids = {emotion.face_id for message in probe.emotions for emotion in message.emotions}
    assert len(ids) == 2, "the face was not new after the jump"
    assert probe.emotions[-1].emotions[0].window_seconds < 1.0
    said = [line for log in graph.logs.values() for line in log if "went backward" in line]
    assert sorted("dfer_node" in line for line in said) == [False, True], "each node says it once"


def test_images_without_a_stamp_are_answered(graph, probe, clip):
    time.sleep(0.1)  # they count as taken when they come, and the image before has just been answered
    probe.feed(clip[:10], stamps=[0.0] * 10, pause=0.05)
    assert len(probe.emotions) == 10
    assert probe.emotions[-1].emotions[0].expression == "happy"
    assert probe.emotions[-1].header.stamp.sec == 0


def test_a_simulated_clock_that_stands_still_stops_nothing(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", "use_sim_time:=true")
    nodes.start("dfer_node", "-p", "precision:=int8", "-p", "use_sim_time:=true")
    probe.publisher()
    probe.wait_for_graph()
    image = probe.node.resolve_topic_name("image")
    assert wait_until(lambda: probe.reliabilities(image) == [ReliabilityPolicy.RELIABLE])
    sent = probe.feed(clip[:20], stamps=[5.0 + index / 20 for index in range(20)])
    assert wait_until(lambda: probe.answered(sent) == len(sent))
    assert probe.emotions[-1].emotions[0].expression == "happy"


def test_a_camera_that_stops_is_named_once_and_heard_again(nodes, probe, clip):
    nodes.start("face_detector_node")
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    probe.feed(clip[:5], probe.faces)
    assert wait_until(lambda: nodes.lines("face_detector_node", "No image for 2 s"))
    time.sleep(1.0)
    assert len(nodes.lines("face_detector_node", "No image for 2 s")) == 1
    probe.feed(clip[:5], probe.faces)
    assert wait_until(lambda: nodes.lines("face_detector_node", "Images arrive"))
    assert len(nodes.lines("face_detector_node", "Images arrive")) == 1
