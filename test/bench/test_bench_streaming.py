"""The bench of streaming against clip-wise, with the shipped model."""

import pytest
from rich.console import Console

from dfer_ros.bench.streaming import PERSONS, measure_streaming
from dfer_ros.core.model.folder import open_model_folder


def test_clip_wise_encodes_the_whole_window_for_every_answer():
    results = measure_streaming("mobilenet_v1", Console(quiet=True), range(1))
    frames = open_model_folder("mobilenet_v1").description.window_frames
    assert [(r.way, r.persons, r.encoded) for r in results] == [
        row
        for persons in PERSONS
        for row in (("streaming", persons, persons), ("clip-wise", persons, persons * frames))
    ]
    for result in results:
        streaming = next(r for r in results if r.persons == result.persons and r.way == "streaming")
        assert result.times == pytest.approx(result.ms / streaming.ms)
        assert result.cpu_percent == pytest.approx(result.ms * 3.0)
