"""A detector that cannot be configured leaves nothing behind."""

import pytest
from hri_robot import Spinning

from dfer_ros.core.errors import DferError
from dfer_ros.nodes import face_stream
from dfer_ros.nodes.face_stream import FaceStream
from dfer_ros.nodes.parameters.face_detector import FACE_DETECTOR
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.streams.statistics import StreamStatistics


def test_nothing_is_loaded_where_a_parameter_is_wrong(_ros, monkeypatch):
    """MediaPipe would keep 20 MB at every try of a lifecycle manager."""
    made = []
    monkeypatch.setattr(face_stream, "create_detector", made.append)
    spinning = Spinning("detector")
    values = {parameter.name: parameter.default for parameter in FACE_DETECTOR} | {"id_prefix": "1"}
    with pytest.raises(DferError, match="id_prefix"):
        FaceStream(spinning.node, ThrottledLog(spinning.node.get_logger()), StreamStatistics(), values)
    spinning.close()
    assert not made
