"""Known faces followed in their region, against a look at the whole image at every frame: what that loses and saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.bench.rendered_heads import HeadShape, RenderedHead, turned
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import DataError, DetectorError
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Detection, Image
from dfer_ros.core.head_pose import default_camera
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.demo_clip import Pose, compose, load_portrait
from dfer_ros.recordings.find_recordings import find_recordings
from dfer_ros.recordings.recording_analysis import AnalysisConfig, open_recording

RATE = 30.0
_SECONDS = 1.5
EVERY_FRAME = TrackerConfig(full_look_rate=240.0)
MOVEMENTS: Mapping[str, Sequence[Callable[[float], Pose]]] = {
    "stands": [lambda t: Pose(0.5, 0.45, 110)],
    "walks fast": [lambda t: Pose(0.5 + 0.35 * np.sin(3 * t), 0.45, 90)],
    "tilts the head fast": [lambda t: Pose(0.5, 0.45, 120, 35 * np.sin(5 * t))],
    "comes near": [lambda t: Pose(0.5, 0.5, 60 + 60 * t)],
    "two cross": [lambda t: Pose(0.25 + 0.35 * t, 0.42, 90), lambda t: Pose(0.75 - 0.35 * t, 0.48, 110, mirrored=True)],
}
"""People that walk through an image of 640x480, each by where one is after so many seconds."""
TURN = "turns the head fast"
"""A rendered head that looks to either side, by 40 degrees and as many as 200 a second."""
_ROOM = np.full((480, 640, 3), 90, np.uint8)
_TIMES = np.arange(round(_SECONDS * RATE)) / RATE
_Located = Sequence[tuple[str, Detection]]


@dataclass
class FollowingResult:
    """Faces followed in recordings, against those that looks at the whole image at every frame find.

    expected: faces of those looks. found: those of them that were found as well. landmark_error: mean distance of
    landmarks in distances of the eyes. ids_expected, ids: how many ids were given in all. agreed: found faces whose
    expression is the same. frames, full_looks: images, and looks at the whole of them.
    ms_expected, ms: mean time of locating the faces of an image.
    """

    detector: str
    name: str
    recordings: int = 0
    frames: int = 0
    full_looks: int = 0
    expected: int = 0
    found: int = 0
    ids_expected: int = 0
    ids: int = 0
    agreed: int = 0
    seconds_expected: float = 0.0
    seconds: float = 0.0
    errors: list[float] = field(default_factory=list)

    @property
    def landmark_error(self) -> float:
        """The mean over all faces found."""
        return float(np.mean(self.errors)) if self.errors else float("nan")


def movement_frames(name: str) -> list[tuple[float, Image]]:
    """Return the frames of a movement, each with its time in seconds."""
    portrait = load_portrait()
    return [(float(t), compose(_ROOM, portrait, [pose(t) for pose in MOVEMENTS[name]])) for t in _TIMES]


def turn_frames() -> list[tuple[float, Image]]:
    """Return the frames of TURN, each with its time in seconds. Raises DataError where heads cannot be rendered."""
    head = RenderedHead(HeadShape("caucasian", "female", "young", "round"), FaceMesh(SessionConfig()), load_portrait())
    camera = default_camera(640, 480)
    poses = [turned(0.0, 0.0, 40.0 * np.sin(5.0 * t), (0.0, 0.0, 0.6)) for t in _TIMES]
    return [(float(t), head.render(pose, camera, _ROOM)) for t, pose in zip(_TIMES, poses)]


def measure_following(
    detectors: Iterable[DetectorConfig], named: Sequence[str], console: Console
) -> list[FollowingResult]:
    """Return the results of every detector on the movements and on the recordings that are named, all of them as one.

    A detector that is not here is passed over. Raises SourceError where a name leads to no recording.
    """
    recordings = find_recordings(named).recordings if named else []
    model = EmotionModel(EmotionModelConfig(precision="int8"))
    movements = {name: movement_frames(name) for name in MOVEMENTS}
    try:
        movements[TURN] = turn_frames()
    except DataError as error:
        console.print(f"Who {TURN} is left out: {error}")
    results = []
    for config in detectors:
        try:
            create_detector(config)
        except DetectorError as error:
            console.print(f"{config.detector} is left out: {error}")
            continue
        for name, frames in movements.items():
            results.append(FollowingResult(config.detector, name))
            _compare(config, model, frames, results[-1])
        if recordings:
            results.append(FollowingResult(config.detector, "recordings"))
        for path in track(recordings, description=config.detector, console=console, transient=True):
            _compare(config, model, _frames(path), results[-1])
    return results


def _frames(path: Path) -> Iterator[tuple[float, Image]]:
    for frame in open_recording(str(path), AnalysisConfig()).frames():
        yield frame.stamp, frame.image


def _compare(
    config: DetectorConfig, model: EmotionModel, frames: Iterable[tuple[float, Image]], result: FollowingResult
) -> None:
    """Add to the result what a recording gives."""
    whole, regions = (FacePipeline(create_detector(config), tracker) for tracker in (EVERY_FRAME, TrackerConfig()))
    recognizers = Recognizer(model), Recognizer(model)
    ids: tuple[set[str], set[str]] = set(), set()
    for stamp, image in frames:
        start = time.perf_counter()
        expected = whole.locate(image, stamp)
        between = time.perf_counter()
        found = regions.locate(image, stamp)
        result.seconds += time.perf_counter() - between
        result.seconds_expected += between - start
        names = []
        for pipeline, recognizer, located, known in zip(
            (whole, regions), recognizers, (expected, found), ids, strict=True
        ):
            known.update(name for name, _ in located)
            seen = [face.seen for face in pipeline.align(image, located)]
            names.append({emotion.face_id: emotion.expression for emotion in recognizer.update(stamp, seen)})
        result.frames += 1
        result.expected += len(expected)
        for one, other, error in _pairs(expected, found):
            result.found += 1
            result.agreed += names[0].get(one) == names[1].get(other)
            result.errors.append(error)
    result.recordings += 1
    result.full_looks += regions.full_looks
    result.ids_expected += len(ids[0])
    result.ids += len(ids[1])


def _pairs(expected: _Located, found: _Located) -> Iterator[tuple[str, str, float]]:
    """Yield the ids of the faces that are the same, and how far apart their landmarks are, in distances of the eyes."""
    for one, face in expected:
        eyes = float(np.linalg.norm(face.landmarks[0] - face.landmarks[1]))
        errors = [
            (float(np.linalg.norm(face.landmarks - other.landmarks, axis=1).mean()) / eyes, i) for i, other in found
        ]
        if errors and min(errors)[0] < 1.0:
            yield one, min(errors)[1], min(errors)[0]
