"""How far off head poses are: heads that are rendered in known poses, found by our detectors and looked at as ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from dfer_ros.bench.rendered_heads import (
    AGES,
    EXPRESSIONS,
    LANDMARKS,
    ORIGINS,
    SEXES,
    SHAPES,
    HeadShape,
    RenderedHead,
    projected,
    turned,
)
from dfer_ros.core.detection import DetectorConfig, FaceDetector, create_detector
from dfer_ros.core.errors import DetectorError
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Image
from dfer_ros.core.head_pose import HeadPose, default_camera, estimate_head_pose
from dfer_ros.core.latency import median_milliseconds
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.recordings.demo_clip import load_portrait

YAW_RANGES = ((0, 20), (20, 40), (0, 40), (40, 60))
"""Degrees, least and most, by which the results are told."""
_WIDTH, _HEIGHT = 640, 480
_YAWS, _PITCHES, _ROLLS = range(-60, 61, 20), (-20, 0, 20), (-20, 0, 20)
_JITTER = 9.0
"""Degrees by which each of them is at most another than these."""
_DISTANCES = (0.5, 0.8, 1.2, 1.8)
"""Metres: faces of 160 to 45 pixels."""
_POSE = "mesh and pose"
_REACH = 0.08
"""How far from the head a detection may be that is its face, in metres at its distance."""


@dataclass(frozen=True)
class HeadResult:
    """Poses found with a detector in the heads of a range of yaw, degrees, least and most.

    found: of heads, those whose face was detected and whose pose was told. Medians, and what nine of ten stay under,
    of errors in degrees; distance: of the error of the distance in parts of it. ms: of mesh and pose together, a face;
    times: that over the time of the detector for the same image. None, both, where the detector is not here, and
    problem says why.
    """

    detector: str
    yaw_range: tuple[int, int] = (0, 0)
    heads: int = 0
    found: int = 0
    yaw: float = 0.0
    yaw_90: float = 0.0
    pitch: float = 0.0
    pitch_90: float = 0.0
    roll: float = 0.0
    roll_90: float = 0.0
    distance: float = 0.0
    ms: float | None = None
    times: float | None = None
    problem: str = ""


def measure_heads(yunet_model: str, console: Console, persons: int, poses: int, seed: int) -> list[HeadResult]:
    """Return the results of our detectors on so many persons, each in so many poses, drawn by a seed."""
    mesh = FaceMesh(SessionConfig())
    detectors: dict[str, FaceDetector] = {}
    problems: dict[str, str] = {}
    for config in (DetectorConfig("mediapipe"), DetectorConfig("yunet", yunet_model=yunet_model)):
        try:
            detectors[config.detector] = create_detector(config)
        except DetectorError as error:
            problems[config.detector] = str(error)
    rows: dict[str, list[list[float]]] = {name: [] for name in detectors}
    images = track(scenes(mesh, persons, poses, seed), "heads", persons * poses, console=console, transient=True)
    for image, pose in images:
        for name, detector in detectors.items():
            rows[name].append([abs(pose.roll_pitch_yaw[2]), *errors(mesh, detector, image, pose)])
    calls = {name: partial(detector.detect, image) for name, detector in detectors.items()}
    medians = median_milliseconds({**calls, _POSE: partial(_look, mesh, image, pose)})
    told = [
        replace(_result(name, yaw_range, np.array(rows[name])), ms=medians[_POSE], times=medians[_POSE] / medians[name])
        for name in detectors
        for yaw_range in YAW_RANGES
    ]
    return told + [HeadResult(name, problem=why) for name, why in problems.items()]


def scenes(mesh: FaceMesh, persons: int, poses: int, seed: int) -> Iterator[tuple[Image, HeadPose]]:
    """Yield images [480, 640, 3] with one head each before a random ground, and its pose.

    Every second person has the portrait of the made clip for a face, the others a skin of one colour.
    """
    random = np.random.default_rng(seed)
    kinds = list(product(ORIGINS, SEXES, AGES))
    portrait, camera = load_portrait(), default_camera(_WIDTH, _HEIGHT)
    for person in range(persons):
        origin, sex, age = kinds[(5 * person + seed) % len(kinds)]
        shape, expression = random.choice(SHAPES), random.choice(EXPRESSIONS)
        pupils = float(np.clip(random.normal(0.0634, 0.0038), 0.052, 0.075))
        head = RenderedHead(
            HeadShape(origin, sex, age, shape, expression, pupils), mesh, None if person % 2 else portrait
        )
        for index in range(poses):
            angles = (random.choice(_ROLLS), random.choice(_PITCHES), _YAWS[index % len(_YAWS)])
            roll, pitch, yaw = angles + random.uniform(-_JITTER, _JITTER, 3)
            distance = float(random.choice(_DISTANCES))
            side, up = random.uniform(-0.2, 0.2), random.uniform(-0.1, 0.1)
            pose = turned(roll, pitch, yaw, (side * distance, up * distance, distance))
            yield head.render(pose, camera, _ground(random)), pose


def errors(mesh: FaceMesh, detector: FaceDetector, image: Image, pose: HeadPose) -> tuple[float, float, float, float]:
    """Return by how much yaw, pitch, roll (degrees) and the distance (in parts of it) are off; NaN: nothing is told."""
    camera = default_camera(image.shape[1], image.shape[0])
    middle = projected(np.array([(0.0, 0.0, -0.04)]), pose, camera)[0]
    reach = _REACH / float(pose.position[2]) * camera.matrix[0, 0]
    for detection in detector.detect(image):
        if np.linalg.norm(detection.landmarks.mean(axis=0) - middle) > reach:
            continue
        landmarks = mesh.landmarks(image, detection.landmarks)
        found = None if landmarks is None else estimate_head_pose(landmarks, camera)
        if found is not None:
            off = np.subtract(found.roll_pitch_yaw, pose.roll_pitch_yaw)
            roll, pitch, yaw = np.abs((off + 180) % 360 - 180).tolist()
            return yaw, pitch, roll, abs(float(np.linalg.norm(found.position) / np.linalg.norm(pose.position)) - 1)
    return (float("nan"),) * 4


def _look(mesh: FaceMesh, image: Image, pose: HeadPose) -> HeadPose | None:
    camera = default_camera(image.shape[1], image.shape[0])
    landmarks = mesh.landmarks(image, projected(LANDMARKS, pose, camera).astype(np.float32))
    return None if landmarks is None else estimate_head_pose(landmarks, camera)


def _result(detector: str, yaw_range: tuple[int, int], rows: npt.NDArray[np.float64]) -> HeadResult:
    least, most = yaw_range
    rows = rows[(rows[:, 0] >= least) & (rows[:, 0] < most)]
    told = rows[np.isfinite(rows).all(axis=1), 1:]
    if not len(told):
        return HeadResult(detector, yaw_range, len(rows))
    median, most_of = np.median(told, axis=0).tolist(), np.percentile(told, 90, axis=0).tolist()
    angles = (median[0], most_of[0], median[1], most_of[1], median[2], most_of[2])
    return HeadResult(detector, yaw_range, len(rows), len(told), *angles, median[3])


def _ground(random: np.random.Generator) -> Image:
    """Return a background of soft colours, with the noise of a camera."""
    soft = cv2.resize(random.integers(60, 200, (6, 8, 3)).astype(np.float32), (_WIDTH, _HEIGHT))
    return np.clip(soft + random.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
