"""A made clip with a real face: the public-domain portrait of Eileen Collins that scikit-image ships, moved about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from dfer_ros.core.alignment import align_face
from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import FloatArray, Image

WIDTH, HEIGHT, FPS = 640, 480, 30
_PORTRAIT_SIDE = 512
_FACE_CENTRE = np.array((222.0, 112.0))
"""Middle of the face in the portrait, pixels."""
PORTRAIT_LANDMARKS = ((204, 107), (246, 107), (226, 128), (226, 149))
"""Eyes, nose tip and mouth centre of the face in the portrait, pixels."""
_FACE_WIDTH = 95.0
_UNHAPPY = (
    # corners of the mouth, upper and lower lip, inner and outer ends of the brows
    (203.0, 141.0, 9.0, 8.0, 18.0, 12.5),
    (243.0, 141.0, 9.0, 8.0, -18.0, 12.5),
    (223.0, 143.0, 9.0, 4.0, 0.0, -11.5),
    (223.0, 151.0, 11.0, 7.0, 0.0, -13.0),
    (211.0, 90.0, 7.0, 6.0, 7.0, -5.0),
    (237.0, 92.0, 7.0, 6.0, -7.0, -5.0),
    (194.0, 89.0, 8.0, 6.0, 0.0, 5.5),
    (259.0, 92.0, 8.0, 6.0, 0.0, 5.5),
)
"""What moves to turn the smile of the portrait upside down: x, y, reach in x and y, and shift in x and y, pixels."""


@dataclass(frozen=True)
class Pose:
    """Where a person is, and in what mood.

    x, y: centre of the face in fractions of the image. face_width: pixels. unhappy: 0 (smiling) .. 1.
    """

    x: float
    y: float
    face_width: float
    roll_degrees: float = 0.0
    mirrored: bool = False
    unhappy: float = 0.0


_FIRST_PERSON = (
    (0.0, Pose(0.50, 0.42, 70)),
    (2.5, Pose(0.45, 0.45, 150, 4)),
    (4.5, Pose(0.35, 0.42, 110, -5)),
    (5.5, Pose(-0.35, 0.42, 110, -5)),
    (6.8, Pose(-0.35, 0.42, 110)),
    (8.0, Pose(0.30, 0.42, 110, 3)),
    (8.6, Pose(0.30, 0.42, 110, 2, unhappy=1.0)),
    (12.0, Pose(0.26, 0.45, 100, -3, unhappy=1.0)),
)
_SECOND_PERSON = (
    (8.0, Pose(1.30, 0.45, 85, mirrored=True)),
    (9.5, Pose(0.74, 0.45, 90, -3, mirrored=True)),
    (12.0, Pose(0.70, 0.42, 105, 3, mirrored=True)),
)
SECONDS = _FIRST_PERSON[-1][0]
UNHAPPY_FROM_SECONDS = _FIRST_PERSON[5][0]
"""Until then everybody in the clip smiles."""


def demo_frames() -> Iterator[Image]:
    """Yield the clip, 640x480 at 30 Hz.

    A smiling head comes near, leaves, comes back and looks unhappy; meanwhile a second one enters, smiling.
    """
    portrait = load_portrait()
    background = _background(portrait)
    for index in range(round(SECONDS * FPS)):
        seconds = index / FPS
        people = [pose for course in (_FIRST_PERSON, _SECOND_PERSON) if (pose := _pose_at(course, seconds))]
        yield compose(background, portrait, people)


def crowd_frame(faces: int, width: int, height: int, shift: float) -> Image:
    """Return an image [height, width, 3] with a grid of faces, all moved aside by shift pixels: for benchmarks."""
    return room_with(crowd(faces, width, height, shift), width, height)


def crowd(faces: int, width: int, height: int, shift: float) -> list[Pose]:
    """Return people in a grid, all moved aside by shift pixels, for an image of width x height pixels."""
    columns = int(np.ceil(np.sqrt(faces * width / height)))
    rows = int(np.ceil(faces / columns))
    face_width = 0.5 * min(width / columns, height / rows)
    cells = [(index % columns, index // columns) for index in range(faces)]
    return [
        Pose(
            (column + 0.5) / columns + shift / width, (row + 0.5) / rows, face_width, mirrored=bool((column + row) % 2)
        )
        for column, row in cells
    ]


def room_with(people: list[Pose], width: int, height: int) -> Image:
    """Return an image [height, width, 3] of a room with people in it."""
    portrait = load_portrait()
    return compose(cv2.resize(_background(portrait), (width, height)), portrait, people)


def load_portrait() -> Image:
    """Return the portrait [512, 512, 3] uint8 BGR; raises SourceError where scikit-image is not installed."""
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError("The demo's portrait comes with scikit-image: 'pip install scikit-image'.") from error
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


def portrait_crop() -> Image:
    """Return the aligned crop [128, 128, 3] uint8 BGR of the portrait.

    Encoders are timed with it: what they multiply may matter for how long they take.
    """
    return align_face(load_portrait(), np.array(PORTRAIT_LANDMARKS, dtype=np.float32))


def compose(background: Image, portrait: Image, people: list[Pose]) -> Image:
    """Return the background with a portrait for every person."""
    canvas = background.astype(np.float32)
    height, width = background.shape[:2]
    for pose in people:
        transform = _placement(pose, width, height)
        left, top, right, bottom = _extent(transform, width, height)
        if left < right and top < bottom:
            transform[:, 2] -= (left, top)
            size = (right - left, bottom - top)
            looking = _unhappy(portrait, pose.unhappy) if pose.unhappy else portrait
            picture = cv2.warpAffine(looking, transform, size, flags=cv2.INTER_AREA).astype(np.float32)
            opacity = cv2.warpAffine(_head_mask(), transform, size)[..., None]
            under = canvas[top:bottom, left:right]
            under += opacity * (picture - under)
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
    return Pose(smooth("x"), smooth("y"), smooth("face_width"), smooth("roll_degrees"), mirrored, smooth("unhappy"))


def _placement(pose: Pose, width: int, height: int) -> FloatArray:
    scale = pose.face_width / _FACE_WIDTH
    angle = np.deg2rad(pose.roll_degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if pose.mirrored:
        turn = turn @ np.diag((-1.0, 1.0))
    shift = np.array((pose.x * width, pose.y * height)) - turn @ _FACE_CENTRE
    return np.column_stack([turn, shift]).astype(np.float32)


def _extent(transform: FloatArray, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what a placed portrait covers of an image, pixels."""
    corners = np.array([(x, y, 1) for x in (0, _PORTRAIT_SIDE) for y in (0, _PORTRAIT_SIDE)]) @ transform.T
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)) - 1, np.ceil(corners.max(axis=0)) + 1
    return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))


def _unhappy(portrait: Image, degree: float) -> Image:
    """Return the portrait with the features of the face shifted, to a degree of 0..1."""
    y, x = np.mgrid[:_PORTRAIT_SIDE, :_PORTRAIT_SIDE].astype(np.float32)
    shift = np.float32(degree) * _unhappy_shift()
    return cv2.remap(portrait, x - shift[0], y - shift[1], cv2.INTER_LINEAR)


@cache
def _unhappy_shift() -> FloatArray:
    """Return how far every pixel moves in x and y [2, 512, 512]."""
    y, x = np.mgrid[:_PORTRAIT_SIDE, :_PORTRAIT_SIDE].astype(np.float32)
    shift = np.zeros((2, _PORTRAIT_SIDE, _PORTRAIT_SIDE), np.float32)
    for centre_x, centre_y, reach_x, reach_y, shift_x, shift_y in _UNHAPPY:
        weight = np.exp(-(((x - centre_x) / reach_x) ** 2 + ((y - centre_y) / reach_y) ** 2) / 2)
        shift += weight * np.array((shift_x, shift_y), np.float32)[:, None, None]
    return shift


@cache
def _head_mask() -> FloatArray:
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
