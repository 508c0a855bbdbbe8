"""The parameters of overlay_node."""

from __future__ import annotations

from dfer_ros.nodes.parameters.common import IMAGE

OVERLAY = IMAGE
