"""The faces of two cameras from other ROS4HRI detectors, read by one dfer_node."""

import time

import pytest
from hri_robot import TRACKED, IdsList, ids
from sensor_msgs.msg import Image

from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

FRAMES = 30
PERIOD = 1 / 15


@pytest.mark.parametrize(
    "behind",
    [0.0, 0.05, 0.6, 60.0],
    ids=["between each other's frames", "a slower detector", "another clock", "a clock a minute behind"],
)
def test_the_people_before_every_camera_have_emotions(nodes, probe, aligned_crop, behind):
    nodes.start("dfer_node", "-p", "input:=hri", "-p", "hri:=true")
    cameras = {"left": "left_anna", "right": "right_ben"}
    listed = probe.node.create_publisher(IdsList, TRACKED, 10)
    aligned = {
        camera: probe.node.create_publisher(Image, f"/humans/faces/{face}/aligned", 10)
        for camera, face in cameras.items()
    }

    def listened_to():
        listed.publish(ids(time.time(), *cameras.values(), frame_id="left"))
        return all(publisher.get_subscription_count() for publisher in aligned.values())

    def show(camera, stamp):
        message = Image()
        fill_image(message, aligned_crop)
        probe.stamp(message, stamp)
        message.header.frame_id = camera
        aligned[camera].publish(message)

    assert wait_until(listened_to)

    def publishers(face):
        infos = probe.node.get_publishers_info_by_topic(f"/humans/faces/{face}/expression")
        return {tuple(info.endpoint_gid) for info in infos}

    def answered(face):
        return sum(emotion.face_id == face for array in probe.emotions for emotion in array.emotions)

    def are_answered(seconds=PATIENCE_SECONDS):
        before = {face: answered(face) for face in cameras.values()}
        now = time.time()
        show("left", now)
        time.sleep(0.01)
        show("right", now + 0.01 - behind)
        return wait_until(lambda: all(answered(face) > count for face, count in before.items()), seconds)

    # Until the nodes have found each other, nobody answers.
    assert wait_until(lambda: are_answered(5.0))
    published = {face: set() for face in cameras.values()}
    for _ in range(FRAMES):
        time.sleep(PERIOD)
        assert are_answered(), {face: answered(face) for face in cameras.values()}
        for face, seen in published.items():
            seen |= publishers(face)
    assert not nodes.lines("dfer_node", "went backward")
    assert [len(seen) for seen in published.values()] == [1, 1], "the publishers of a face are made once"
