"""The parameters of overlay_node."""

from __future__ import annotations

from dfer_ros.ros.shared_parameters import IMAGE

OVERLAY = IMAGE
