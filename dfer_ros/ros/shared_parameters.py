"""Rows that several nodes share."""

from __future__ import annotations

from dfer_ros.ros.parameter import Parameter

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
MANAGED = (
    Parameter("autostart", True, "Whether the node configures and activates itself; else a lifecycle manager does."),
    Parameter("enabled", True, "Whether an active node works; false pauses it, as ~/enable does.", changeable=True),
)
HRI = Parameter("hri", False, "Whether the topics of ROS4HRI (REP-155) are published as well; needs hri_msgs.")
THREADS = Parameter("threads", 1, "CPU threads of one inference or image operation.", minimum=1, maximum=64)


def frame_rate(of: str) -> Parameter:
    """Return the row of `frame_rate` for a node that processes `of`."""
    return Parameter(
        "frame_rate", DEFAULT_FRAME_RATE, f"Most {of} processed per second.", "Hz", 0.1, 240.0, changeable=True
    )


def max_wait(of: str) -> Parameter:
    """Return the row of `max_wait_seconds` for a node that processes `of`."""
    return Parameter(
        "max_wait_seconds",
        0.2,
        f"{of} that waited longer than this for the one before are dropped.",
        "s",
        0.01,
        60.0,
        changeable=True,
    )
