import json

import cv2
import pytest

from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer, open_recording


@pytest.fixture(scope="module")
def folder(clip, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip")
    for index, image in enumerate(clip[:10]):
        cv2.imwrite(str(path / f"{index}.png"), image)
    return str(path)


@pytest.fixture(scope="module")
def analyzer():
    return RecordingAnalyzer(AnalysisConfig())


def lines(analyzer, folder):
    source = open_recording(folder, analyzer.config)
    return [line for analyzed in analyzer.analyze(source) for line in analyzed.lines()]


def test_nothing_of_a_recording_is_left_for_the_next_one(analyzer, folder):
    first, second = lines(analyzer, folder), lines(analyzer, folder)
    assert len(first) == 8
    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        {"fps": 25.0},
        {"topic": "/image"},
        {"frame_rate": 15.0},
        {"precision": "fp32"},
        {"precision": "fp16"},
        {"head_pose": True},
    ],
)
def test_what_changes_the_answers_changes_the_identity(analyzer, change):
    assert RecordingAnalyzer(AnalysisConfig(**change)).identity != analyzer.identity


def test_head_poses_are_told_where_they_are_asked_for(analyzer, folder):
    asked = RecordingAnalyzer(AnalysisConfig(head_pose=True))
    plain = [json.loads(line) for line in lines(analyzer, folder)]
    answers = [json.loads(line) for line in lines(asked, folder)]
    poses = [answer.pop("head_pose") for answer in answers]
    assert answers == plain
    # She looks about into the camera.
    assert all(list(pose) == ["roll", "pitch", "yaw"] for pose in poses)
    assert max(abs(angle) for pose in poses for angle in pose.values()) < 20


@pytest.mark.parametrize("degrees", [0.0, 5.0, 180.0, float("nan")])
def test_a_field_of_view_that_no_camera_has_is_refused(degrees):
    with pytest.raises(SourceError, match="--field-of-view must be of 10 to 170 degrees"):
        AnalysisConfig(field_of_view=degrees)


def test_another_model_is_another_identity(analyzer, model_copy):
    same = RecordingAnalyzer(AnalysisConfig(model=str(model_copy))).identity
    description = model_copy / "model.yaml"
    description.write_text(description.read_text() + "\n# other\n")
    assert same == analyzer.identity != RecordingAnalyzer(AnalysisConfig(model=str(model_copy))).identity


def test_another_detector_is_another_identity(analyzer, yunet_model):
    yunet = RecordingAnalyzer(AnalysisConfig(detector="yunet", yunet_model=yunet_model)).identity
    assert (yunet["detector"], len(yunet["detector_sha256"])) == ("yunet", 64)


def test_auto_is_resolved(analyzer):
    auto = RecordingAnalyzer(AnalysisConfig(precision="auto", detector="auto"))
    assert auto.config.precision in ("fp32", "fp16", "int8")
    assert auto.config.detector in ("mediapipe", "yunet")


@pytest.mark.parametrize("change", [{"fps": 0.0}, {"frame_rate": -1.0}, {"frame_rate": float("nan")}])
def test_a_rate_must_be_above_0(change):
    with pytest.raises(SourceError, match="must be above 0"):
        AnalysisConfig(**change)


def test_a_camera_is_no_recording():
    with pytest.raises(SourceError, match="for a camera use"):
        open_recording("0", AnalysisConfig())
