"""The bench of followed faces: what it counts, with real detectors, on people who walk through an image."""

from importlib.util import find_spec

import pytest
from rich.console import Console

from dfer_ros.bench.following import MOVEMENTS, TURN, measure_following
from dfer_ros.core.detection import DetectorConfig
from dfer_ros.core.errors import SourceError


@pytest.fixture(scope="module")
def results(yunet_model):
    detectors = [
        DetectorConfig("yunet", yunet_model=str(yunet_model)),
        DetectorConfig("yunet", yunet_model="/nowhere.onnx"),
    ]
    return measure_following(detectors, [], Console(quiet=True))


def test_a_detector_that_is_not_here_is_left_out(results):
    rendered = [TURN] if find_spec("anny") else []
    assert [result.name for result in results] == [*MOVEMENTS, *rendered]


def test_followed_faces_are_those_of_whole_looks_at_fewer_of_them(results):
    for result in results:
        assert (result.found, result.ids) == (result.expected, result.ids_expected)
        assert result.landmark_error < 0.02
        assert result.agreed >= 0.99 * result.found > 0
        assert 0 < result.full_looks < result.frames == 45


def test_recordings_that_are_not_there_are_named():
    with pytest.raises(SourceError, match=r"nowhere\.mp4"):
        measure_following([DetectorConfig()], ["/nowhere.mp4"], Console(quiet=True))
