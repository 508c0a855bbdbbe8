"""Where a head is and how it is turned, from the landmarks of its face and what is known of the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Face, FloatArray, Image

Matrix = npt.NDArray[np.float64]

DEFAULT_FIELD_OF_VIEW: Final = 60.0
"""Degrees across the longer side of the image, where nothing is known of a camera: what many webcams have."""

FRONTAL: Final[Matrix] = np.array([(0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)])
"""Axes of a face (columns) in the camera's optical frame, where it is upright and looks against the optical axis."""

_MIDLINE = {
    10: (-0.0044, 0.0518),
    151: (-0.0005, 0.0342),
    9: (0.0017, 0.0166),
    168: (0.0, 0.0),
    6: (0.0044, -0.0089),
    197: (0.0091, -0.0166),
    195: (0.0135, -0.0235),
    5: (0.0181, -0.0308),
    4: (0.0215, -0.0392),
    1: (0.0202, -0.0454),
    2: (0.0079, -0.0517),
}
_LEFT_SIDE = {
    (263, 33): (-0.0204, 0.0482, -0.0014),
    (362, 133): (-0.0134, 0.0185, -0.0043),
    (327, 98): (0.0002, 0.0176, -0.0492),
    (294, 64): (0.0018, 0.0195, -0.0453),
    (297, 67): (-0.0137, 0.0376, 0.0498),
    (338, 109): (-0.0074, 0.0205, 0.0517),
    (346, 117): (-0.0226, 0.0551, -0.0199),
    (280, 50): (-0.0171, 0.0503, -0.0369),
    (454, 234): (-0.0705, 0.0760, -0.0170),
}
MODEL_POINTS: Final[dict[int, tuple[float, float, float]]] = {
    **{index: (x, 0.0, z) for index, (x, z) in _MIDLINE.items()},
    **{left: place for (left, _), place in _LEFT_SIDE.items()},
    **{right: (x, -y, z) for (_, right), (x, y, z) in _LEFT_SIDE.items()},
}
"""Where points of the face mesh lie on a mean adult's head, metres from the sellion along the axes of the face.

Of forehead, eyes, nose and cheeks: neither brows nor mouth nor jaw. Triangulated from what the mesh finds on images of
twelve heads of MakeHuman (CC0), of both sexes and three origins, in known poses; made symmetric, and scaled to pupils
that are 63 mm apart (Dodgson 2004).
"""

_LEAST_SPREAD = 1e-4
"""Of the landmarks at a distance of 1: what a head in 2 km has, and no image shows."""


@dataclass(frozen=True, eq=False)
class Camera:
    """How a camera makes an image: pinhole, and what its lens does to it.

    matrix: [3, 3], pixels of the image. distortion: [n] coefficients of OpenCV's model, plumb bob or rational; none:
    the image is rectified. fisheye: whether they are the four of the equidistant model instead.
    """

    matrix: Matrix
    distortion: tuple[float, ...] = ()
    fisheye: bool = False

    def rays(self, points: FloatArray) -> Matrix:
        """Return where the light of pixels [N, 2] comes from: [N, 2], x and y at a distance of 1, axes of the image."""
        pixels = np.asarray(points, dtype=np.float64)[:, None]
        distortion = np.array(self.distortion) if self.distortion else None
        if self.fisheye and distortion is not None:
            rays: Matrix = cv2.fisheye.undistortPoints(pixels, self.matrix, distortion)[:, 0]
        else:
            rays = cv2.undistortPoints(pixels, self.matrix, distortion)[:, 0]
        return rays


def default_camera(width: int, height: int, field_of_view: float = DEFAULT_FIELD_OF_VIEW) -> Camera:
    """Return a camera of which nothing is known but the size of its image, in pixels.

    field_of_view: degrees across the longer side.
    """
    focal = max(width, height) / 2 / math.tan(math.radians(field_of_view) / 2)
    return Camera(np.array([(focal, 0, (width - 1) / 2), (0, focal, (height - 1) / 2), (0, 0, 1.0)]))


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Where a head is in the camera's optical frame (x right, y down, z forward).

    position: [3] metres, of the sellion, the root of the nose between the eyes. rotation: [3, 3], columns are the axes
    of the face as REP-155 has them: x out of the face, y to the person's left, z to the crown.
    """

    position: Matrix
    rotation: Matrix

    @property
    def roll_pitch_yaw(self) -> tuple[float, float, float]:
        """Degrees from a face that is upright and looks against the optical axis; right-handed about fixed x, y, z.

        Positive roll: tilted to the person's right shoulder. Positive pitch: nose down. Positive yaw: turned to the
        person's left. Pitch is within -90..90, the others within -180..180.
        """
        turned = FRONTAL.T @ self.rotation
        roll = math.atan2(turned[2, 1], turned[2, 2])
        pitch = math.asin(max(-1.0, min(1.0, -turned[2, 0])))
        yaw = math.atan2(turned[1, 0], turned[0, 0])
        return math.degrees(roll), math.degrees(pitch), math.degrees(yaw)

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """The rotation as x, y, z, w of a unit quaternion."""
        axis = cv2.Rodrigues(self.rotation)[0][:, 0]
        angle = float(np.linalg.norm(axis))
        x, y, z = axis * (math.sin(angle / 2) / angle if angle > 1e-12 else 0.5)
        return float(x), float(y), float(z), math.cos(angle / 2)


def estimate_head_pose(landmarks: FloatArray, camera: Camera) -> HeadPose | None:
    """Return the pose of a head, from the landmarks [468, 2] of its face mesh in pixels.

    By PnP from those that do not move with the expression (MODEL_POINTS), of a mean adult: a smaller head is nearer
    than told. None where no head in front of the camera explains them.
    """
    rays = camera.rays(landmarks[list(MODEL_POINTS)])
    if not np.isfinite(rays).all() or np.ptp(rays, axis=0).min() < _LEAST_SPREAD:
        return None
    model, pinhole = np.array(list(MODEL_POINTS.values())), np.eye(3)
    found, turn, position = cv2.solvePnP(model, rays, pinhole, None, flags=cv2.SOLVEPNP_SQPNP)
    if found:
        turn, position = cv2.solvePnPRefineLM(model, rays, pinhole, None, turn, position)
    if not found or not np.isfinite(turn).all() or not position[2, 0] > 0:
        return None
    return HeadPose(position[:, 0], cv2.Rodrigues(turn)[0])


class HeadPoses:
    """Tells where the heads of the faces of an image are, for a camera of which only the field of view is known.

    field_of_view: degrees across the longer side of the image. Not thread safe.
    """

    def __init__(self, mesh: FaceMesh, field_of_view: float = DEFAULT_FIELD_OF_VIEW) -> None:
        self._mesh = mesh
        self._field_of_view = field_of_view

    def of(self, image: Image, faces: Sequence[Face]) -> list[HeadPose | None]:
        """Return the head poses of faces in image [H, W, 3] uint8 BGR, in their order; None: it cannot be told."""
        camera = default_camera(image.shape[1], image.shape[0], self._field_of_view)
        found = [self._mesh.landmarks(image, face.detection.landmarks) for face in faces]
        return [None if landmarks is None else estimate_head_pose(landmarks, camera) for landmarks in found]
