"""The parameters of video_source_node."""

from __future__ import annotations

from dfer_ros.ros.parameter import Parameter

VIDEO_SOURCE = (
    Parameter("source", "", "Video file, folder of images, or camera index."),
    Parameter("rate", 0.0, "Images published per second; 0: as recorded, 30 for a folder.", "Hz", 0.0, 240.0),
    Parameter("loop", False, "Begin again at the end; otherwise the node ends with its source."),
    Parameter("frame_id", "camera", "Frame id of the published images."),
)
