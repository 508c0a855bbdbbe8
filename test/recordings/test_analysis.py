import cv2
import numpy as np
import pytest
from made_bags import write_clip

from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.analysis import Analysis
from dfer_ros.recordings.answer_file import answer_object
from dfer_ros.recordings.bag_images import BagImages
from dfer_ros.recordings.frame_source import Frame
from dfer_ros.recordings.video import open_source

FPS, FRAMES = 30.0, 30


@pytest.fixture(scope="module")
def folder(clip, tmp_path_factory):
    """The first second of the clip as a folder of images."""
    path = tmp_path_factory.mktemp("clip")
    for index, image in enumerate(clip[:FRAMES]):
        cv2.imwrite(str(path / f"{index}.png"), image)
    return path


@pytest.fixture
def analyzed(folder, detector, recognizer):
    """Return the answer to the clip at a frame rate."""

    def run(frame_rate=30.0, source=None, ahead=0):
        recognizer.reset()
        pipeline = FacePipeline(detector, TrackerConfig())
        return list(Analysis(source or open_source(str(folder), FPS), pipeline, recognizer, frame_rate, ahead))

    return run


class Shuffled:
    """A source of black images, one of them late, whose clock goes back twice."""

    live = False
    fps = FPS
    frame_count = 7

    def __init__(self):
        self.unreadable = []

    def frames(self):
        for index, stamp in enumerate([10.0, 10.1, 10.05, 10.2, 2.0, 2.1, 1.0]):
            yield Frame(index, stamp, np.zeros((48, 64, 3), np.uint8))


def records(answers):
    return [
        answer_object(each.frame.stamp, each.frame.index, (0, 0, 0, 0), emotion)
        for each in answers
        for emotion in each.emotions
    ]


def test_every_frame_is_answered_with_a_happy_face_from_the_third_on(analyzed):
    answers = analyzed()
    assert [each.frame.index for each in answers] == list(range(FRAMES))
    assert [[emotion.face_id for emotion in each.emotions] for each in answers] == [[], []] + [["face1"]] * 28
    assert {emotion.expression for each in answers for emotion in each.emotions} == {"happy"}


def test_faces_and_emotions_are_in_the_same_order(analyzed):
    for each in analyzed():
        assert [face.id for face in each.faces] == [emotion.face_id for emotion in each.emotions]


def test_the_same_recording_gives_exactly_the_same_answers_twice(analyzed):
    first, second = records(analyzed()), records(analyzed())
    assert len(first) == 28
    assert first == second


@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_frames_read_ahead_give_exactly_the_same_answers(analyzed, ahead):
    assert records(analyzed(ahead=ahead)) == records(analyzed())


@pytest.mark.parametrize(
    ("frame_rate", "indices"), [(15.0, range(0, 30, 2)), (10.0, range(0, 30, 3)), (60.0, range(30))]
)
def test_no_more_frames_are_processed_than_the_frame_rate_allows(analyzed, frame_rate, indices):
    assert [each.frame.index for each in analyzed(frame_rate)] == list(indices)


@pytest.mark.parametrize("ahead", [0, 4])
def test_stamps_that_are_late_or_jump_back_are_counted(clip, detector, recognizer, tmp_path, ahead):
    stamps = [10.0, 10.1, 10.05, 10.2, 2.0, 2.1, 1.0]
    bag = BagImages(write_clip(tmp_path / "bag", clip[: len(stamps)], stamps=stamps), "")
    for _ in range(2):
        analysis = Analysis(bag, FacePipeline(detector, TrackerConfig()), recognizer, FPS, ahead)
        assert [each.frame.index for each in analysis] == [0, 1, 3, 4, 5, 6]
        assert (analysis.order.late, analysis.order.jumps) == (1, 2)


def test_frames_of_one_stamp_count_as_taken_when_the_recorder_received_them(clip, detector, recognizer, tmp_path):
    stamps = [10.0] * 5 + [10.1, 10.05, 10.05, 10.1, 10.2]
    bag = BagImages(write_clip(tmp_path / "bag", clip[: len(stamps)], stamps=stamps), "")
    analysis = Analysis(bag, FacePipeline(detector, TrackerConfig()), recognizer, FPS)
    assert [each.frame.index for each in analysis] == [0, 1, 2, 5, 9]
    assert "5 of 10 have that of the image before" in bag.remarks[0]


@pytest.mark.parametrize("frame_rate", [30.0, 5.0])
def test_stamps_are_checked_of_every_frame_whatever_the_source_and_the_frame_rate(detector, recognizer, frame_rate):
    analysis = Analysis(Shuffled(), FacePipeline(detector, TrackerConfig()), recognizer, frame_rate)
    list(analysis)
    assert (analysis.order.late, analysis.order.jumps) == (1, 2)


def test_the_window_grows_with_the_stamps_of_the_recording(analyzed):
    last = analyzed()[-1].emotions[0]
    assert last.window_seconds == pytest.approx(27 / FPS)


def test_each_face_of_each_frame_is_encoded_once(analyzed, recognizer):
    runs, crops = recognizer.model.encoder.runs, recognizer.model.encoder.crops
    analyzed()
    assert recognizer.model.encoder.runs - runs == recognizer.model.encoder.crops - crops == 28


def test_the_frames_around_a_corrupt_one_are_answered(analyzed, folder, tmp_path):
    for index in range(5):
        (tmp_path / f"{index}.png").write_bytes((folder / f"{index}.png").read_bytes())
    (tmp_path / "3.png").write_bytes(b"no image")
    assert [each.frame.index for each in analyzed(source=open_source(str(tmp_path)))] == [0, 1, 2, 4]


def test_the_images_come_along_with_the_answers(analyzed, clip):
    answers = analyzed()
    assert all(np.array_equal(each.frame.image, image) for each, image in zip(answers, clip))
