import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import align_face
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.quality import face_quality
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.demo_clip import crowd_frame

BLANK = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture
def pipeline(detector):
    return FacePipeline(detector, TrackerConfig())


def test_a_face_appears_in_the_third_frame_and_keeps_its_id(pipeline, clip):
    ids = [[face.id for face in pipeline.process(image, index / 30)] for index, image in enumerate(clip)]
    assert ids == [[], []] + [["face1"]] * (len(clip) - 2)


def test_a_face_comes_with_its_detection_its_crop_and_its_quality(detector, pipeline, portrait):
    for stamp in (0.0, 0.1, 0.2):
        faces = pipeline.process(portrait, stamp)
    (face,) = faces
    (detection,) = detector.detect(portrait)
    assert (face.detection.landmarks == detection.landmarks).all()
    assert (face.aligned == align_face(portrait, detection.landmarks)).all()
    assert face.aligned.shape == (128, 128, 3)
    assert face.quality == face_quality(detection, face.aligned)
    assert 0.5 < face.quality <= 1.0


def test_the_crop_shows_the_face_as_the_template_asks(pipeline, portrait, aligned_crop):
    for stamp in (0.0, 0.1, 0.2):
        faces = pipeline.process(portrait, stamp)
    crop, expected = (cv2.GaussianBlur(image, (0, 0), 4).astype(float) for image in (faces[0].aligned, aligned_crop))
    assert np.abs(crop - expected)[32:-32, 32:-32].mean() < 15


def test_every_face_of_a_group_has_an_id_of_its_own(pipeline):
    frame = crowd_frame(4, 960, 540, 0.0)
    for stamp in (0.0, 0.1, 0.2):
        faces = pipeline.process(frame, stamp)
    assert sorted(face.id for face in faces) == ["face1", "face2", "face3", "face4"]


def test_a_blank_image_has_no_faces_and_a_short_one_loses_no_id(pipeline, portrait):
    for index in range(3):
        pipeline.process(portrait, index / 30)
    assert pipeline.process(np.zeros_like(portrait), 0.1) == []
    assert [face.id for face in pipeline.process(portrait, 0.5)] == ["face1"]


def test_a_clock_that_goes_backward_clears_the_tracks_and_says_so(pipeline, portrait):
    for index in range(3):
        pipeline.process(portrait, 10 + index / 30)
    assert not pipeline.cleared
    assert pipeline.process(portrait, 5.0) == []
    assert pipeline.cleared
    assert pipeline.process(portrait, 5.1) == []
    assert [face.id for face in pipeline.process(portrait, 5.2)] == ["face2"]
    assert not pipeline.cleared


def test_the_tracker_is_set_by_its_configuration(detector, portrait):
    pipeline = FacePipeline(detector, TrackerConfig(confirm_frames=1))
    assert [face.id for face in pipeline.process(portrait, 0.0)] == ["face1"]
