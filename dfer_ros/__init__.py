"""Dynamic facial expression recognition for social robots on ROS 2.

What an application needs without ROS: analyze_recording() for videos, folders of images and bags, analyze_frames() for
an array of frames, StreamAnalyzer for images as they come. Each yields AnalyzedFrame: the faces of a frame and, in the
same order, their emotions.

>>> import dfer_ros
>>> from skimage import data
>>> portrait = data.astronaut()[:, :, ::-1]  # RGB to BGR, as OpenCV reads images
>>> *_, last = dfer_ros.analyze_frames([portrait] * 30, fps=30)
>>> for face, emotion in zip(last.faces, last.emotions):
...     print(face.id, emotion.expression)
face1 happy

Nodes of an application listen to a running graph with dfer_ros.behavior.EmotionListener.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# Before anything imports ONNX Runtime, which would keep a file about this computer in the user's cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from dfer_ros.core.emotion import Emotion
    from dfer_ros.core.faces import Face
    from dfer_ros.recordings.analysis import AnalyzedFrame
    from dfer_ros.recordings.application import StreamAnalyzer, analyze_frames, analyze_recording
    from dfer_ros.recordings.recording_analysis import AnalysisConfig

__version__ = "0.1.0"

__all__ = [
    "AnalysisConfig",
    "AnalyzedFrame",
    "Emotion",
    "Face",
    "StreamAnalyzer",
    "analyze_frames",
    "analyze_recording",
]

_HOMES = {
    "AnalysisConfig": "recordings.recording_analysis",
    "AnalyzedFrame": "recordings.analysis",
    "Emotion": "core.emotion",
    "Face": "core.faces",
    "StreamAnalyzer": "recordings.application",
    "analyze_frames": "recordings.application",
    "analyze_recording": "recordings.application",
}


def __getattr__(name: str) -> Any:
    """Import what is offered when it is asked for: `dfer --help` and the nodes need none of it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"dfer_ros offers no {name}: it offers {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"dfer_ros.{_HOMES[name]}"), name)
