import numpy as np
import pytest

from dfer_ros.nodes.hri.frames import FaceCollector

SECOND = 10**9
CROP = np.zeros((128, 128, 3), np.uint8)


class Feed:
    """A collector, fed at stamps in frames of 30 Hz."""

    def __init__(self, *face_ids, camera="front"):
        self.collector = FaceCollector()
        self.camera = camera
        self.track(0, *face_ids)

    def track(self, frame, *face_ids, camera=None):
        return self._told(self.collector.track(camera or self.camera, self._stamp(frame), face_ids))

    def add(self, frame, face_id, crop=CROP, camera=None):
        return self._told(self.collector.add(camera or self.camera, self._stamp(frame), face_id, crop))

    def _stamp(self, frame):
        return frame and 100 * SECOND + round(frame * SECOND / 30)

    def _told(self, complete):
        frames = [faces.stamp and round((faces.stamp - 100 * SECOND) * 30 / SECOND) for faces in complete]
        return [(faces.camera, frame, sorted(faces.crops)) for faces, frame in zip(complete, frames)]


@pytest.fixture
def two():
    """Two faces before one camera that both sent an image."""
    feed = Feed("anna", "ben")
    feed.add(1, "anna")
    feed.add(1, "ben")
    feed.add(2, "anna")
    assert feed.add(2, "ben") == [("front", 2, ["anna", "ben"])]
    return feed


def test_a_single_face_is_handed_out_at_once():
    feed = Feed("anna")
    assert feed.add(1, "anna") == [("front", 1, ["anna"])]
    assert feed.add(2, "anna") == [("front", 2, ["anna"])]


def test_the_faces_of_an_image_are_handed_out_together(two):
    assert two.add(3, "ben") == []
    assert two.add(3, "anna") == [("front", 3, ["anna", "ben"])]


def test_a_newer_image_hands_out_what_came_of_the_one_before(two):
    assert two.add(3, "ben") == []
    assert two.add(4, "ben") == [("front", 3, ["ben"])]
    assert two.add(4, "anna") == [("front", 4, ["anna", "ben"])]


def test_what_comes_after_its_image_was_handed_out_is_dropped(two):
    two.add(3, "ben")
    two.add(4, "ben")
    assert two.add(3, "anna") == []
    assert two.add(2, "anna") == []
    assert two.add(4, "anna") == [("front", 4, ["anna", "ben"])]


def test_a_face_that_is_no_longer_tracked_is_not_waited_for(two):
    assert two.add(3, "ben") == []
    assert two.track(3, "ben") == [("front", 3, ["ben"])]
    assert two.add(4, "anna") == []
    assert two.add(4, "ben") == [("front", 4, ["ben"])]


def test_an_unusable_image_is_not_waited_for_and_leaves_no_face(two):
    assert two.add(3, "anna", crop=None) == []
    assert two.add(3, "ben") == [("front", 3, ["ben"])]


def test_an_image_before_which_nobody_is_tracked_is_handed_out_empty(two):
    assert two.track(3) == [("front", 3, [])]
    assert two.track(3) == []
    assert two.track(4) == [("front", 4, [])]


def test_a_tracked_face_that_sends_nothing_makes_no_empty_images():
    feed = Feed("anna")
    assert feed.track(1, "anna") == []
    assert feed.track(2, "anna") == []


def test_a_list_hands_out_nothing_twice(two):
    assert two.track(2, "anna", "ben") == []
    two.add(3, "anna")
    two.add(3, "ben")
    assert two.track(3, "anna", "ben") == []


def test_images_without_a_stamp_are_told_apart_by_their_faces():
    feed = Feed("anna")
    assert [feed.add(0, "anna") for _ in range(3)] == [[("front", 0, ["anna"])]] * 3
    both = Feed("anna", "ben")
    assert both.add(0, "anna") == [("front", 0, ["anna"])]
    assert both.add(0, "ben") == []
    assert both.add(0, "ben") == [("front", 0, ["ben"])]
    assert both.add(0, "anna") == [("front", 0, ["anna", "ben"])]


def test_a_clock_that_goes_back_begins_anew(two):
    two.add(600, "anna")
    assert two.add(10, "anna") == [("front", 600, ["anna"])]
    assert two.add(10, "ben") == [("front", 10, ["anna", "ben"])]


def test_two_cameras_do_not_wait_for_each_other():
    feed = Feed("anna", "ben")
    assert feed.add(1, "anna", camera="left") == [("left", 1, ["anna"])]
    assert feed.add(1.4, "ben", camera="right") == [("right", 1, ["ben"])]
    feed.track(2, "anna", "ben", "carl", camera="left")
    feed.add(2, "anna", camera="left")
    feed.add(2, "carl", camera="left")
    assert feed.add(3, "anna", camera="left") == []
    assert feed.add(3.4, "ben", camera="right") == [("right", 3, ["ben"])]
    assert feed.add(3, "carl", camera="left") == [("left", 3, ["anna", "carl"])]


def test_a_camera_that_loses_its_last_face_is_handed_out_empty_though_another_has_some():
    feed = Feed("anna", "ben")
    feed.add(1, "anna", camera="left")
    feed.add(1, "ben", camera="right")
    assert feed.track(2, "ben", camera="left") == [("left", 2, [])]
    assert feed.track(2, "ben", camera="right") == []


def test_cameras_that_are_gone_are_forgotten():
    feed = Feed("anna")
    for index in range(1, 100):
        feed.add(index, "anna", camera=f"camera{index}")
        feed.track(index, "anna", camera=f"camera{index}")
    assert len(feed.collector._cameras) == 1
