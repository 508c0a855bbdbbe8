"""A detector that cannot be configured leaves nothing behind."""

import pytest
from hri_robot import Spinning

from dfer_ros.core.errors import DferError
from dfer_ros.core.parameter import with_values
from dfer_ros.nodes import face_stream
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig, FaceStream
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.streams.statistics import StreamStatistics


def test_nothing_is_loaded_where_a_parameter_is_wrong(_ros, monkeypatch):
    """MediaPipe would keep 20 MB at every try of a lifecycle manager."""
    made = []
    monkeypatch.setattr(face_stream, "create_detector", made.append)
    spinning = Spinning("detector")
    log = ThrottledLog(spinning.node.get_logger())
    with pytest.raises(DferError, match="id_prefix"):
        config = with_values(FaceDetectorNodeConfig(), {"id_prefix": "1"})
        FaceStream(spinning.node, log, StreamStatistics(), config)
    spinning.close()
    assert not made
