"""The parameters of overlay_node."""

from __future__ import annotations

from dfer_ros.ros.parameters.common import IMAGE

OVERLAY = IMAGE
