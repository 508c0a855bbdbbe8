"""Face detectors beside each other on the same images, one thread each: time, faces found, and what is no face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.bench.peer_detectors import PEER_DETECTORS, Find, create_peer_detector
from dfer_ros.core.detection import PLUGINS, DetectorConfig, FaceDetector, create_detector
from dfer_ros.core.errors import DetectorError, SourceError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.latency import median_milliseconds
from dfer_ros.recordings.demo_clip import Pose, crowd, room_with

_BLOCKS, _RUNS = range(5), 3
_REACH = 0.6
"""How far the middle of a box may be from the middle of a face, in widths of the face, to count as found."""


@dataclass(frozen=True)
class Scene:
    """An image and the faces in it. faces: [N, 3] middle x, y and width in pixels."""

    name: str
    image: Image
    faces: FloatArray


@dataclass(frozen=True)
class DetectorResult:
    """A detector on a scene.

    found: faces of the scene found. false: boxes that are no face of it. ms: median time of an image; None where the
    detector is not here, and problem says why. times: ms over that of the first detector that is here.
    """

    detector: str
    scene: str
    faces: int
    found: int = 0
    false: int = 0
    ms: float | None = None
    times: float | None = None
    problem: str = ""


def scenes() -> list[Scene]:
    """Return images with one face, near and far, with many, and with none."""
    return [
        _scene("one face, 120 px", [Pose(0.5, 0.45, 120)], 640, 480),
        _scene("one face, 40 px", [Pose(0.4, 0.5, 40)], 640, 480),
        _scene("one close-up, 300 px", [Pose(0.5, 0.5, 300)], 640, 480),
        _scene("one face, 60 px, HD", [Pose(0.6, 0.5, 60)], 1280, 720),
        _scene("8 faces, 80 px", crowd(8, 640, 480, 0.0), 640, 480),
        _scene("30 faces, 72 px, HD", crowd(30, 1280, 720, 0.0), 1280, 720),
        Scene("a cat, nobody else", _cat(), np.zeros((0, 3), dtype=np.float32)),
    ]


def measure_detectors(yunet_model: str, console: Console, blocks: Sequence[int] = _BLOCKS) -> list[DetectorResult]:
    """Return our detectors and those of others on all scenes; they take turns on every scene, block by block."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        finds, problems = _detectors(yunet_model)
        results: list[DetectorResult] = []
        for scene in scenes():
            results += _on_scene(scene, finds, blocks, console)
            results += [
                DetectorResult(name, scene.name, len(scene.faces), problem=why) for name, why in problems.items()
            ]
        return results
    finally:
        cv2.setNumThreads(threads)


def _on_scene(scene: Scene, finds: Mapping[str, Find], blocks: Sequence[int], console: Console) -> list[DetectorResult]:
    shown = track(blocks, description=scene.name, console=console, transient=True)
    calls = {name: partial(find, scene.image) for name, find in finds.items()}
    medians = median_milliseconds(calls, shown, _RUNS)
    results = []
    for name, find in finds.items():
        found, false = score(find(scene.image), scene.faces)
        results.append(DetectorResult(name, scene.name, len(scene.faces), found, false, medians[name]))
    return [replace(result, times=medians[result.detector] / medians[next(iter(finds))]) for result in results]


def score(boxes: FloatArray, faces: FloatArray) -> tuple[int, int]:
    """Return how many faces [N, 3] (middle x, y, width) have a box [M, 4] on them, and how many boxes are on none."""
    if not (len(boxes) and len(faces)):
        return 0, len(boxes)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    distances = np.linalg.norm(middles[:, None] - faces[None, :, :2], axis=2) / faces[None, :, 2]
    near = distances < _REACH
    return int(near.any(axis=0).sum()), int((~near.any(axis=1)).sum())


def _detectors(yunet_model: str) -> tuple[dict[str, Find], dict[str, str]]:
    """Return the detectors that are here, ours first, and what stands in the way of the others."""
    finds: dict[str, Find] = {}
    problems: dict[str, str] = {}
    configs = {
        "mediapipe (ours, default)": DetectorConfig("mediapipe"),
        "yunet 320 (ours)": DetectorConfig("yunet", yunet_model=yunet_model),
        "yunet 640 (ours)": DetectorConfig("yunet", yunet_model=yunet_model, yunet_width=640),
        "haar (baseline)": DetectorConfig("haar"),
        "mtcnn (baseline)": DetectorConfig("mtcnn"),
    } | {name: DetectorConfig(name) for name in PLUGINS}
    creators = {name: partial(_our_detector, config) for name, config in configs.items()}
    creators |= {name: partial(create_peer_detector, name) for name in PEER_DETECTORS}
    for name, create in creators.items():
        try:
            finds[name] = create()
        except DetectorError as error:
            problems[name] = str(error)
    return finds, problems


def _our_detector(config: DetectorConfig) -> Find:
    return partial(_boxes, create_detector(config))


def _boxes(detector: FaceDetector, image: Image) -> FloatArray:
    return np.array([detection.box for detection in detector.detect(image)], dtype=np.float32).reshape(-1, 4)


def _scene(name: str, people: Sequence[Pose], width: int, height: int) -> Scene:
    faces = [(pose.x * width, pose.y * height, pose.face_width) for pose in people]
    return Scene(name, room_with(list(people), width, height), np.array(faces, dtype=np.float32))


def _cat() -> Image:
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError("The pictures of the bench come with scikit-image: 'pip install scikit-image'.") from error
    return cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2BGR)
