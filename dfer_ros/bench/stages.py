"""Where the time of a frame goes: the parts of both nodes one after the other in one thread, each step by its name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from rich.console import Console
from rich.progress import track
from sensor_msgs.msg import Image as ImageMessage

from dfer_msgs.msg import FaceArray
from dfer_ros.bench.camera import CameraSetting, Crowd
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.detection.landmark_flow import LandmarkFlow
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.tracker import Tracker, TrackerConfig
from dfer_ros.core.window import FrameWindow
from dfer_ros.ros.image_conversion import fill_image, to_bgr
from dfer_ros.ros.messages import emotion_array, face_array
from dfer_ros.ros.run_node import bound_opencv_threads

FACES = (1, 8)
FRAMES = 360
_WARM_UP = 30
_RATE = 30.0
_BETWEEN = "faces made a message, to bytes and back: in two processes only"
STAGES = (
    "image out of its message",
    "message to pixels",
    "look at the whole image",
    "known faces by optical flow",
    "what the flow remembers",
    "tracker",
    "the rest of finding faces",
    "crop and quality",
    _BETWEEN,
    "encoder",
    "window",
    "head",
    "decision",
    "emotions made a message, to bytes",
)
"""What is done to an image, in this order."""
ALL = "all, in one process"


@dataclass(frozen=True)
class StageResult:
    """CPU time of one stage, or of ALL, with so many faces in the image.

    share: 0..1, of the images in which it is done. ms: the median of these. ms_per_image: the mean over all images.
    """

    faces: int
    stage: str
    share: float
    ms: float
    ms_per_image: float


class StageClock:
    """CPU time of the process by image and stage; what one stage calls of another counts as the other's alone.

    images: by image, the seconds of every stage that was done.
    """

    def __init__(self) -> None:
        self.images: list[dict[str, float]] = []
        self._inner: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens meanwhile as this stage of the image that was added last."""
        self._inner.append(0.0)
        start = time.process_time()
        try:
            yield
        finally:
            whole = time.process_time() - start
            own = whole - self._inner.pop()
            if self._inner:
                self._inner[-1] += whole
            self.images[-1][name] = self.images[-1].get(name, 0.0) + own

    @contextmanager
    def watching(self, owner: type, method: str, name: str) -> Iterator[None]:
        """Count every call of a method as this stage, whatever calls it."""
        plain = getattr(owner, method)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return plain(*arguments, **named)

        setattr(owner, method, timed)
        try:
            yield
        finally:
            setattr(owner, method, plain)


def measure_stages(model: str, console: Console, frames: int = FRAMES) -> list[StageResult]:
    """Return the stages for every number of FACES in images of 640x480, by the defaults of both nodes."""
    bound_opencv_threads(1)  # as both nodes do
    loaded = EmotionModel(EmotionModelConfig(model))
    results = []
    for faces in FACES:
        clock = _clocked(loaded, faces, frames, console)
        images = clock.images[_WARM_UP:]
        for stage in STAGES:
            results.append(_result(faces, stage, [times[stage] for times in images if stage in times], frames))
        whole = [sum(seconds for stage, seconds in times.items() if stage != _BETWEEN) for times in images]
        results.append(_result(faces, ALL, whole, frames))
    return results


def _clocked(model: EmotionModel, faces: int, frames: int, console: Console) -> StageClock:
    """Return what the stages took over so many images, and some before them."""
    detector, clock = create_detector(DetectorConfig()), StageClock()
    pipeline, recognizer = FacePipeline(detector, TrackerConfig()), Recognizer(model)
    crowd = Crowd(CameraSetting(_RATE, faces))
    watched: list[tuple[type, str, str]] = [
        (type(detector), "detect", "look at the whole image"),
        (LandmarkFlow, "follow", "known faces by optical flow"),
        (LandmarkFlow, "remember", "what the flow remembers"),
        *((Tracker, method, "tracker") for method in ("expected", "named", "update")),
        (type(model.encoder), "encode", "encoder"),
        (FrameWindow, "add", "window"),
        (type(model.head), "answer", "head"),
    ]
    with ExitStack() as stack:
        stack.callback(detector.close)
        for owner, method, name in watched:
            stack.enter_context(clock.watching(owner, method, name))
        shown = track(range(_WARM_UP + frames), description=f"faces: {faces}", console=console, transient=True)
        for index in shown:
            message = ImageMessage()
            fill_image(message, crowd.image(index))
            clock.images.append({})
            _one_image(serialize_message(message), index / _RATE, pipeline, recognizer, clock)
    return clock


def _one_image(raw: bytes, stamp: float, pipeline: FacePipeline, recognizer: Recognizer, clock: StageClock) -> None:
    """Do to an image what both nodes do to it."""
    with clock.stage("image out of its message"):
        message = deserialize_message(raw, ImageMessage)
    with clock.stage("message to pixels"):
        image = to_bgr(message)
    with clock.stage("the rest of finding faces"):
        located = pipeline.locate(image, stamp)
    with clock.stage("crop and quality"):
        faces = pipeline.align(image, located)
    with clock.stage(_BETWEEN):
        deserialize_message(serialize_message(face_array(message.header, image.shape, faces)), FaceArray)
    with clock.stage("decision"):
        emotions = recognizer.update(stamp, [face.seen for face in faces])
    with clock.stage("emotions made a message, to bytes"):
        serialize_message(emotion_array(message.header, emotions))
    with clock.stage("the rest of finding faces"):
        pipeline.finish()


def _result(faces: int, stage: str, seconds: list[float], frames: int) -> StageResult:
    median = 1e3 * float(np.median(seconds)) if seconds else 0.0
    return StageResult(faces, stage, len(seconds) / frames, median, 1e3 * sum(seconds) / frames)
