"""The faces of several cameras in one run of the model."""

import pytest

from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import SeenFace
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.nodes.shared_recognition import SharedRecognition


@pytest.fixture
def cameras(recognizer):
    return [Recognizer(recognizer.model) for _ in range(3)]


def test_what_is_announced_is_answered_in_one_run(cameras, aligned_crop, serious_crop):
    shared, encoder = SharedRecognition(), cameras[0].model.encoder
    runs = encoder.runs
    for camera, crop in zip(cameras, (aligned_crop, serious_crop, aligned_crop)):
        shared.announce(camera, 1.0, [SeenFace("face1", crop, 0.9)])
    answers = [shared.emotions(camera)[0] for camera in cameras]
    assert encoder.runs == runs + 1
    assert answers[0].probabilities.tolist() == answers[2].probabilities.tolist() != answers[1].probabilities.tolist()
    shared.announce(cameras[0], 1.1, [])
    assert shared.emotions(cameras[0]) == []
    assert encoder.runs == runs + 1


def test_a_failure_is_told_to_everybody_in_the_run_and_to_nobody_after_it(cameras, aligned_crop, monkeypatch):
    shared = SharedRecognition()
    with monkeypatch.context() as broken:
        broken.setattr(cameras[0].model.encoder, "encode", lambda crops: (_ for _ in ()).throw(ModelError("no memory")))
        for camera in cameras[:2]:
            shared.announce(camera, 1.0, [SeenFace("face1", aligned_crop, 0.9)])
        for camera in cameras[:2]:
            with pytest.raises(ModelError, match="no memory"):
                shared.emotions(camera)
    shared.announce(cameras[0], 1.1, [SeenFace("face1", aligned_crop, 0.9)])
    assert len(shared.emotions(cameras[0])) == 1
