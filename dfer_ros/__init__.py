"""Dynamic facial expression recognition for social robots on ROS 2."""

import os

# Before anything imports ONNX Runtime, which would keep a file about this computer in the user's cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
