"""A made clip with a real face: the public-domain portrait of Eileen Collins that scikit-image ships, moved about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import FloatArray, Image

WIDTH, HEIGHT, FPS = 640, 480, 30
_PORTRAIT_SIDE = 512
_FACE_CENTRE = np.array((222.0, 112.0))
"""Middle of the face in the portrait, pixels."""
_FACE_WIDTH = 95.0


@dataclass(frozen=True)
class Pose:
    """Where a person is: centre of the face in fractions of the image, width of the face in pixels, roll."""

    x: float
    y: float
    face_width: float
    roll_degrees: float = 0.0
    mirrored: bool = False


_FIRST_PERSON = (
    (0.0, Pose(0.50, 0.42, 70)),
    (2.5, Pose(0.45, 0.45, 150, 4)),
    (4.5, Pose(0.35, 0.42, 110, -5)),
    (5.5, Pose(-0.35, 0.42, 110, -5)),
    (6.8, Pose(-0.35, 0.42, 110)),
    (8.0, Pose(0.30, 0.42, 110, 3)),
    (12.0, Pose(0.26, 0.45, 100, -3)),
)
_SECOND_PERSON = (
    (8.0, Pose(1.30, 0.45, 85, mirrored=True)),
    (9.5, Pose(0.74, 0.45, 90, -3, mirrored=True)),
    (12.0, Pose(0.70, 0.42, 105, 3, mirrored=True)),
)
SECONDS = _FIRST_PERSON[-1][0]


def demo_frames() -> Iterator[Image]:
    """Yield the clip, 640x480 at 30 Hz: a head comes near, leaves, comes back, and a second one enters."""
    portrait = load_portrait()
    background = _background(portrait)
    for index in range(round(SECONDS * FPS)):
        seconds = index / FPS
        people = [pose for course in (_FIRST_PERSON, _SECOND_PERSON) if (pose := _pose_at(course, seconds))]
        yield compose(background, portrait, people)


def crowd_frame(faces: int, width: int, height: int, shift: float) -> Image:
    """Return an image [height, width, 3] with a grid of faces, all moved aside by shift pixels: for benchmarks."""
    portrait = load_portrait()
    columns = int(np.ceil(np.sqrt(faces * width / height)))
    rows = int(np.ceil(faces / columns))
    face_width = 0.5 * min(width / columns, height / rows)
    cells = [(index % columns, index // columns) for index in range(faces)]
    people = [
        Pose(
            (column + 0.5) / columns + shift / width, (row + 0.5) / rows, face_width, mirrored=bool((column + row) % 2)
        )
        for column, row in cells
    ]
    background = cv2.resize(_background(portrait), (width, height))
    return compose(background, portrait, people)


def load_portrait() -> Image:
    """Return the portrait [512, 512, 3] uint8 BGR; raises SourceError where scikit-image is not installed."""
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError("The demo's portrait comes with scikit-image: 'pip install scikit-image'.") from error
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


def compose(background: Image, portrait: Image, people: list[Pose]) -> Image:
    """Return the background with a portrait for every person."""
    canvas = background.astype(np.float32)
    height, width = background.shape[:2]
    mask = _head_mask(portrait)
    for pose in people:
        transform = _placement(pose, width, height)
        picture = cv2.warpAffine(portrait, transform, (width, height), flags=cv2.INTER_AREA).astype(np.float32)
        opacity = cv2.warpAffine(mask, transform, (width, height))[..., None]
        canvas += opacity * (picture - canvas)
    return np.rint(canvas).astype(np.uint8)


def _pose_at(course: tuple[tuple[float, Pose], ...], seconds: float) -> Pose | None:
    times = [moment for moment, _ in course]
    if not times[0] <= seconds <= times[-1]:
        return None

    def smooth(name: str) -> float:
        after = min(int(np.searchsorted(times, seconds, side="right")), len(times) - 1)
        share = (seconds - times[after - 1]) / (times[after] - times[after - 1])
        start, end = getattr(course[after - 1][1], name), getattr(course[after][1], name)
        return float(start + (end - start) * (1 - np.cos(np.pi * share)) / 2)

    mirrored = course[0][1].mirrored
    return Pose(smooth("x"), smooth("y"), smooth("face_width"), smooth("roll_degrees"), mirrored)


def _placement(pose: Pose, width: int, height: int) -> FloatArray:
    scale = pose.face_width / _FACE_WIDTH
    angle = np.deg2rad(pose.roll_degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if pose.mirrored:
        turn = turn @ np.diag((-1.0, 1.0))
    shift = np.array((pose.x * width, pose.y * height)) - turn @ _FACE_CENTRE
    return np.column_stack([turn, shift]).astype(np.float32)


def _head_mask(portrait: Image) -> FloatArray:
    """Return 1 on head and shoulders and 0 at the edges of the portrait, with a soft border."""
    mask = np.zeros((_PORTRAIT_SIDE, _PORTRAIT_SIDE), np.float32)
    cv2.ellipse(mask, (222, 102), (76, 92), 0, 0, 360, 1.0, cv2.FILLED)
    cv2.ellipse(mask, (235, 400), (190, 210), 0, 0, 360, 1.0, cv2.FILLED)
    mask[[0, -1]] = mask[:, [0, -1]] = 0.0
    return cv2.GaussianBlur(mask, (0, 0), 6)


def _background(portrait: Image) -> Image:
    """Return a room of blurred colours."""
    blurred = cv2.GaussianBlur(cv2.resize(portrait[256:], (WIDTH, HEIGHT)), (0, 0), 60)
    return cv2.addWeighted(blurred, 0.5, np.full_like(blurred, 90), 0.5, 0)
