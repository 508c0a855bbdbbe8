"""HriInput on a plain node, fed as a ROS4HRI detector feeds it."""

import itertools
import time

import cv2
import numpy as np
import pytest
from hri_robot import TRACKED, IdsList, header, ids
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from dfer_ros.core.alignment import TEMPLATE
from dfer_ros.core.quality import sharpness_score
from dfer_ros.nodes.hri.images import ALIGNMENTS
from dfer_ros.nodes.hri.input import HriInput
from dfer_ros.ros.image_conversion import fill_image, to_bgr
from dfer_ros.ros.waiting import wait_until

LIKE_HRI_FACE_DETECT = QoSProfile(depth=1)


def names(array):
    return sorted(face.id for face in array.faces)


class Detector:
    """A ROS4HRI detector, and the arrays that HriInput made of what it published."""

    def __init__(self, robot, alignment):
        self.arrays = []
        self.robot = robot
        self.node = robot["detector"].node
        self.input = HriInput(robot["dfer"].node, self.arrays.append, alignment)
        self._lists = self.node.create_publisher(IdsList, TRACKED, LIKE_HRI_FACE_DETECT)
        self._publishers = {}
        self._ticks = itertools.count()
        assert wait_until(lambda: self._lists.get_subscription_count() == 1)

    def close(self):
        self.robot["dfer"].call(self.input.close)

    def track(self, *face_ids, seconds=1.0, camera="camera"):
        """List these faces, and wait until they are listened to."""
        for face_id in face_ids:
            if face_id not in self._publishers:
                self._publishers[face_id] = self.node.create_publisher(
                    Image, f"/humans/faces/{face_id}/aligned", LIKE_HRI_FACE_DETECT
                )
        self.list(*face_ids, seconds=seconds, camera=camera)
        for face_id, publisher in self._publishers.items():
            expected = int(face_id in face_ids)
            assert wait_until(lambda p=publisher, e=expected: p.get_subscription_count() == e)

    def meet(self, *face_ids, pixels):
        """Track these faces, and let each be seen once, so that it is known to be before this camera."""
        self.track(*face_ids)
        for index, face_id in enumerate(face_ids):
            while not any(face_id in names(array) for array in self.arrays):
                self.send(face_id, 90.0 + index + next(self._ticks) / 1000, pixels)
                wait_until(lambda one=face_id: any(one in names(array) for array in self.arrays), 0.2)
        for face_id in face_ids:
            self.send(face_id, 99.0, pixels)
        assert wait_until(lambda: names(self.arrays[-1]) == sorted(face_ids))
        self.arrays.clear()

    def list(self, *face_ids, seconds, camera="camera"):
        self._lists.publish(ids(seconds, *face_ids, frame_id=camera))

    def send(self, face_id, seconds, pixels, camera="camera", spoil=None):
        message = Image(header=header(seconds, camera))
        fill_image(message, pixels)
        if spoil:
            spoil(message)
        self._publishers[face_id].publish(message)

    def array(self, count):
        """Return the newest of `count` arrays."""
        assert wait_until(lambda: len(self.arrays) >= count), f"{len(self.arrays)} of {count} arrays came"
        return self.arrays[count - 1]


@pytest.fixture
def detector(robot):
    made = Detector(robot, "dfer")
    yield made
    made.close()


def test_the_faces_of_an_image_come_as_one_array_with_its_header(detector, aligned_crop, serious_crop):
    detector.meet("anna", "ben", pixels=aligned_crop)
    detector.send("ben", 100.1, serious_crop)
    detector.send("anna", 100.1, aligned_crop)
    array = detector.array(1)
    assert names(array) == ["anna", "ben"]
    assert array.header == header(100.1)
    assert (array.image_width, array.image_height) == (0, 0)
    for face in array.faces:
        crop = aligned_crop if face.id == "anna" else serious_crop
        assert (to_bgr(face.aligned) == crop).all()
        assert face.aligned.header == array.header
        assert face.quality == pytest.approx(sharpness_score(crop))
        assert face.confidence == 1.0


def test_a_newer_image_ends_the_wait_for_a_face_that_was_not_seen(detector, aligned_crop):
    detector.meet("carla", "dora", pixels=aligned_crop)
    detector.send("carla", 100.2, aligned_crop)
    time.sleep(0.3)
    assert not detector.arrays
    detector.send("carla", 100.3, aligned_crop)
    assert names(detector.array(1)) == ["carla"]
    assert detector.arrays[0].header == header(100.2)


def test_the_array_is_empty_while_nobody_is_tracked(detector, aligned_crop):
    detector.list(seconds=100.0)
    assert detector.array(1).faces == []
    assert detector.array(1).header == header(100.0)
    detector.track("emil", seconds=100.1)
    detector.send("emil", 100.2, aligned_crop)
    assert names(detector.array(2)) == ["emil"]
    detector.track(seconds=100.3)
    assert detector.array(3).faces == []


def test_it_listens_to_tracked_faces_only_and_to_nobody_once_closed(detector):
    detector.track("fay", "gina")
    detector.track("gina")
    detector.close()
    node = detector.node
    for topic in (TRACKED, "/humans/faces/gina/aligned"):
        assert wait_until(lambda topic=topic: node.count_subscribers(topic) == 0)


def test_a_crop_of_another_size_is_scaled(detector, aligned_crop):
    detector.track("hugo")
    detector.send("hugo", 100.0, cv2.resize(aligned_crop, (256, 256)))
    (face,) = detector.array(1).faces
    assert (face.aligned.width, face.aligned.height, face.aligned.encoding) == (128, 128, "bgr8")
    assert np.abs(to_bgr(face.aligned).astype(int) - aligned_crop).mean() < 6


def test_the_eyes_of_hri_face_detect_come_to_lie_on_ours(robot):
    detector = Detector(robot, "hri_face_detect")
    detector.track("ines")
    image = np.zeros((128, 128, 3), np.uint8)
    for x, y in ALIGNMENTS["hri_face_detect"][:2] * 128:
        cv2.circle(image, (round(x), round(y)), 3, (255, 255, 255), -1)
    detector.send("ines", 100.0, image)
    ours = to_bgr(detector.array(1).faces[0].aligned)
    detector.close()
    for x, y in TEMPLATE[:2] * 128:
        assert ours[round(y), round(x)].min() > 200
    assert ours[:, 60:68].max() < 50


def _truncated(message):
    message.data = message.data[:100]


def _empty(message):
    message.width = message.height = message.step = 0
    message.data = []


def _odd(message):
    message.encoding = "32FC7"


@pytest.mark.parametrize("spoil", [_truncated, _empty, _odd])
def test_an_unusable_image_is_skipped_and_the_next_one_answered(detector, aligned_crop, spoil, capfd):
    detector.meet("jana", "kim", pixels=aligned_crop)
    stamps = (100.0 + index / 10 for index in itertools.count())
    for seconds in itertools.islice(stamps, 10):
        detector.send("kim", seconds, aligned_crop, spoil=spoil)
        detector.send("jana", seconds, aligned_crop)
        assert wait_until(lambda s=seconds: detector.arrays and detector.arrays[-1].header == header(s))
    assert names(detector.arrays[-1]) == ["jana"]
    seconds = next(stamps)
    detector.send("kim", seconds, aligned_crop)
    detector.send("jana", seconds, aligned_crop)
    assert wait_until(lambda: names(detector.arrays[-1]) == ["jana", "kim"])
    detector.close()
    lines = [line for line in capfd.readouterr().err.splitlines() if "is skipped" in line]
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]


def test_an_id_that_no_topic_can_have_is_said_once_and_left_out(detector, aligned_crop, capfd):
    for _ in range(3):
        detector.list("4you", "lara", seconds=1.0)
    detector.track("lara")
    detector.list("4you", "lara", seconds=1.0)
    detector.send("lara", 100.0, aligned_crop)
    assert names(detector.array(1)) == ["lara"]
    assert capfd.readouterr().err.count("'4you' cannot be used") == 1
