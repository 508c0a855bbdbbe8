"""Known faces are looked for in their own region between looks at the whole image, with the answers of the latter."""

from contextlib import suppress
from itertools import combinations

import cv2
import numpy as np
import pytest

from dfer_ros.bench.following import EVERY_FRAME, MOVEMENTS, movement_frames
from dfer_ros.core.detection import DetectorConfig, RegionDetector, create_detector
from dfer_ros.core.detection.landmark_flow import LandmarkFlow
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.demo_clip import Pose, compose

RATE, EYES = 30, 43.5 / 95
"""Images a second, and the distance of the eyes in widths of the face."""
REGIONS = TrackerConfig()
SECONDS = np.arange(45) / RATE
ROOM = np.full((480, 640, 3), 90, np.uint8)


@pytest.fixture(params=["mediapipe_detector", "yunet_detector"])
def each_detector(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def frames_of():
    return lambda name: [image for _, image in movement_frames(name)]


def located(detector, images, config=REGIONS):
    pipeline = FacePipeline(detector, config)
    return [pipeline.locate(image, t) for image, t in zip(images, SECONDS)], pipeline.full_looks


def jitter(faces, poses):
    """Return how far landmarks move about in a face that does not change, in distances of the eyes."""
    own = []
    for face, pose in zip(faces, poses):
        turn = np.exp(-1j * np.deg2rad(pose.roll_degrees)) / (EYES * pose.face_width)
        own.append((face.landmarks - (640 * pose.x, 480 * pose.y)) @ (1, 1j) * turn)
    return np.abs(np.array(own) - np.mean(own, axis=0)).mean()


@pytest.mark.parametrize("name", MOVEMENTS)
def test_faces_and_ids_are_those_of_a_full_look_at_every_image(each_detector, frames_of, name):
    images = frames_of(name)
    (expected, every), (found, some) = (
        located(each_detector, images, config) for config in (EVERY_FRAME, TrackerConfig())
    )
    assert every == len(images) > some
    for faces, others in zip(found, expected):
        places, expected_places = (
            {one: face.landmarks.mean(axis=0) for one, face in located} for located in (faces, others)
        )
        assert places.keys() == expected_places.keys()
        assert all(np.abs(place - expected_places[one]).max() < 15 for one, place in places.items())


@pytest.mark.parametrize("name", ["stands", "walks fast", "tilts the head fast", "comes near"])
def test_landmarks_are_as_steady_and_as_right_as_those_of_full_looks(each_detector, frames_of, name):
    images, (pose,) = frames_of(name), MOVEMENTS[name]
    poses = [pose(t) for t in SECONDS]
    both = [located(each_detector, images, config)[0] for config in (EVERY_FRAME, TrackerConfig())]
    expected, found = ([faces[0][1] for faces in frames if faces] for frames in both)
    poses = poses[-len(found) :]
    distances = [
        np.hypot(*(one.landmarks - other.landmarks).T).mean() / (EYES * pose.face_width)
        for one, other, pose in zip(expected, found, poses)
    ]
    # Landmarks of two looks that err independently are the square root of two as far from each other as from the truth.
    assert np.mean(distances) < max(0.02, 1.5 * jitter(expected, poses))
    assert jitter(found, poses) < 1.1 * jitter(expected, poses) + 0.002


def test_a_face_that_stands_costs_one_full_look_in_four(each_detector, frames_of):
    _, looks = located(each_detector, frames_of("stands"))
    # Three until it has its id, then one in four images at 30 Hz.
    assert looks == 3 + (len(SECONDS) - 3) // 4


def test_nobody_in_sight_costs_one_full_look_in_four(detector):
    found, looks = located(detector, [ROOM] * len(SECONDS))
    assert not any(found)
    assert looks == -(-len(SECONDS) // 4)


@pytest.mark.parametrize("rate", [10, 15, 25, 30, 60])
def test_somebody_new_is_found_within_150_ms_beside_somebody_known(detector, portrait, rate):
    alone, both = (
        compose(ROOM, portrait, people)
        for people in ([Pose(0.3, 0.5, 90)], [Pose(0.3, 0.5, 90), Pose(0.75, 0.5, 90, mirrored=True)])
    )
    for frames_alone in range(10, 16):
        pipeline = FacePipeline(detector, TrackerConfig(confirm_frames=1))
        for index in range(frames_alone):
            assert len(pipeline.locate(alone, index / rate)) == 1
        late = next(n for n in range(frames_alone, 60) if len(pipeline.locate(both, n / rate)) == 2) - frames_alone
        assert late / rate < 0.15


def test_a_face_that_is_gone_is_gone_in_the_same_image(each_detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 110)])
    pipeline = FacePipeline(each_detector, TrackerConfig())
    for t in SECONDS[:5]:
        assert len(pipeline.locate(image, t)) <= 1
    looks = pipeline.full_looks
    assert pipeline.locate(ROOM, SECONDS[5]) == []
    assert pipeline.full_looks == looks + 1


def test_a_face_that_jumps_is_found_in_the_same_image(each_detector, portrait):
    pipeline = FacePipeline(each_detector, TrackerConfig(confirm_frames=1))
    places = [0.2] * 5 + [0.7]
    for t, x in zip(SECONDS, places):
        ((_, face),) = pipeline.locate(compose(ROOM, portrait, [Pose(x, 0.5, 110)]), t)
        assert abs(face.landmarks[:, 0].mean() - 640 * x) < 25


@pytest.mark.parametrize(("rate", "every"), [(30, 4), (10, 1)])
def test_a_due_look_does_not_keep_the_answer_waiting(each_detector, frames_of, rate, every):
    pipeline, during = FacePipeline(each_detector, REGIONS), []
    for index, image in enumerate(frames_of("stands")):
        before = pipeline.full_looks
        pipeline.locate(image, index / rate)
        during.append(pipeline.full_looks - before)
        pipeline.finish()
    assert (during[:3], sum(during[3:])) == ([1, 1, 1], 0)
    assert pipeline.full_looks == 3 + (len(SECONDS) - 3) // every


class _FailsLater:
    """A detector whose looks at the whole image fail from one of them on."""

    def __init__(self, detector, first):
        self._detector, self._left = detector, first

    def detect(self, image):
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("the model is gone")
        return self._detector.detect(image)


def test_a_detector_that_fails_does_not_hide_behind_followed_faces(mediapipe_detector, frames_of):
    pipeline, answered = FacePipeline(_FailsLater(mediapipe_detector, 4), REGIONS), []
    for t, image in zip(SECONDS[:14], frames_of("stands")):
        try:
            answered.append(len(pipeline.locate(image, t)))
        except RuntimeError:
            answered.append("failed")
            continue
        with suppress(RuntimeError):
            pipeline.finish()
    # The fifth look is due after the eleventh answer; from then on nobody knows who is there.
    assert answered == [0, 0] + [1] * 9 + ["failed"] * 3


def test_whether_somebody_finishes_or_not_the_answers_are_the_same(each_detector, frames_of):
    images = frames_of("two cross")
    pipeline, finished = FacePipeline(each_detector, REGIONS), []
    for t, image in zip(SECONDS, images):
        finished.append(pipeline.locate(image, t))
        pipeline.finish()
    assert [[(one, face.landmarks.tolist()) for one, face in faces] for faces in finished] == [
        [(one, face.landmarks.tolist()) for one, face in faces] for faces in located(each_detector, images)[0]
    ]


def test_a_face_that_the_flow_sees_and_the_detector_does_not_is_looked_for_again_and_gone(detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 110)])
    pipeline = FacePipeline(detector, TrackerConfig())
    for t in SECONDS[:5]:
        pipeline.locate(image, t)
    pipeline.configure(DetectorConfig(detection_confidence=0.99), TrackerConfig())
    ids = [[one for one, _ in pipeline.locate(image, t)] for t in SECONDS[5:10]]
    assert ids[0] == ["face1"] and ids[-1] == []


def test_a_rate_of_full_looks_holds_from_the_next_image_on(detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 110)])
    pipeline = FacePipeline(detector, EVERY_FRAME)
    for t in SECONDS[:8]:
        pipeline.locate(image, t)
    assert pipeline.full_looks == 8
    pipeline.configure(DetectorConfig(), TrackerConfig(full_look_rate=1.0))
    for t in SECONDS[8:20]:
        pipeline.locate(image, t)
    assert pipeline.full_looks == 8


def test_two_runs_agree_to_the_bit(each_detector, frames_of):
    first, second = (located(each_detector, frames_of("two cross"))[0] for _ in range(2))
    assert [[(one, face.landmarks.tolist()) for one, face in faces] for faces in first] == [
        [(one, face.landmarks.tolist()) for one, face in faces] for faces in second
    ]


def test_yunet_gives_a_region_the_landmarks_of_the_whole_image(yunet_model, portrait):
    detector = create_detector(DetectorConfig("yunet", yunet_model=yunet_model))
    assert isinstance(detector, RegionDetector)
    image = compose(ROOM, portrait, [Pose(0.2, 0.3, 70), Pose(0.8, 0.6, 90, mirrored=True)])
    faces = detector.detect(image)
    again = detector.follow(image, faces)
    assert len(again) == len(faces) == 2
    for face, one in zip(faces, again):
        assert np.abs(face.landmarks - one.landmarks).max() < 0.06 * EYES * 90
        assert one.confidence == pytest.approx(face.confidence, abs=0.05)


def test_yunet_looks_at_the_whole_image_where_the_regions_cover_it(yunet_detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 400)])
    assert yunet_detector.follow(image, yunet_detector.detect(image)) is None


def test_yunet_answers_as_opencv_does_from_the_same_file(yunet_model, portrait):
    image = cv2.resize(compose(ROOM, portrait, [Pose(0.3, 0.4, 70), Pose(0.7, 0.5, 120)]), (320, 240))
    detector = create_detector(DetectorConfig("yunet", yunet_model=yunet_model))
    rows = cv2.FaceDetectorYN.create(yunet_model, "", (320, 240), 0.5, 0.3, 200).detect(image)[1]
    found = detector.detect(image)
    assert len(found) == len(rows) == 2
    for face, row in zip(found, rows):
        np.testing.assert_allclose(face.box, row[:4], atol=0.01)
        np.testing.assert_allclose(face.landmarks[:3], row[4:10].reshape(3, 2), atol=0.01)
        assert face.confidence == pytest.approx(row[14], abs=1e-4)


def test_the_flow_loses_a_face_when_something_comes_before_it(mediapipe_detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 110)])
    (face,) = mediapipe_detector.detect(image)
    flow = LandmarkFlow()
    flow.remember(image, [face])
    (same,) = flow.follow(image, [face])
    np.testing.assert_allclose(same.landmarks, face.landmarks, atol=0.05)
    hand = image.copy()
    hand[240:330, 260:330] = 200
    assert flow.follow(hand, [face]) is None


def test_the_flow_leaves_a_crowd_to_the_detector(mediapipe_detector, portrait):
    image = compose(ROOM, portrait, [Pose(0.5, 0.5, 110)])
    (face,) = mediapipe_detector.detect(image)
    flow = LandmarkFlow()
    flow.remember(image, [face] * 13)
    assert flow.follow(image, [face] * 13) is None


def test_ids_are_all_different_in_every_image(each_detector, frames_of):
    for faces in located(each_detector, frames_of("two cross"))[0]:
        assert all(one != other for (one, _), (other, _) in combinations(faces, 2))
