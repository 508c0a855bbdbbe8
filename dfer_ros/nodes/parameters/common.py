"""Rows that several nodes share."""

from __future__ import annotations

from dfer_ros.nodes.parameter import Parameter

DEFAULT_FRAME_RATE = 30.0

IMAGE = (
    Parameter("image_transport", "raw", "Transport of the input image.", choices=("raw", "compressed")),
    Parameter(
        "image_reliability",
        "auto",
        "Reliability asked of the camera; auto follows what it offers.",
        choices=("auto", "reliable", "best_effort"),
    ),
)
THREADS = Parameter("threads", 1, "CPU threads of one inference or image operation.", minimum=1, maximum=64)


def frame_rate(of: str) -> Parameter:
    """Return the row of `frame_rate` for a node that processes `of`."""
    return Parameter(
        "frame_rate", DEFAULT_FRAME_RATE, f"Most {of} processed per second.", "Hz", 0.1, 240.0, changeable=True
    )
