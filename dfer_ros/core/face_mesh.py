"""The face mesh: 468 landmarks of a face that was detected, for whoever asks where a head is and looks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from onnxruntime import InferenceSession

from dfer_ros.core.alignment import TEMPLATE, similarity, warp_closely
from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.installed_files import share_directory
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

MESH_POINTS: Final = 468
MESH_SHA256 = "525bc9437c48669694b907b8eadb5309a2669b5feb6bcb9aec020b7cee420786"
_SIZE = 192
"""Side of the network's input, pixels."""
_FIRST_LOOK = ((TEMPLATE - (0.50, 0.55)) * 0.8 + 0.50).astype(np.float32)
"""Where the four landmarks of a detection come to lie in the input, fractions of its side."""
_MARGIN = 1.5
"""Side of the input over that of the box around all landmarks: what the network was trained with."""
_OUTER_CORNERS = (33, 263)
"""The outer corners of the eyes, the person's right one first: they are level in the input."""
_LEAST_PRESENCE = 0.5


class FaceMesh:
    """MediaPipe's face mesh (Kartynnik et al. 2019, https://arxiv.org/abs/1907.06724) in ONNX Runtime.

    A detector's landmarks tell little of how a head is rolled, so the network looks twice: where the detector says that
    the face is, and then upright, where it found the face itself. It is loaded, 23 MB, with the first face.
    Not thread safe. Raises ModelError where the model file is missing or damaged.
    """

    def __init__(self, session_config: SessionConfig) -> None:
        self._path = mesh_file()
        if not self._path.is_file() or file_sha256(self._path) != MESH_SHA256:
            raise ModelError(f"The model file {self._path} is missing or damaged: install the package again.")
        self._session_config = session_config
        self._session: InferenceSession | None = None

    def landmarks(self, image: Image, detected: FloatArray) -> FloatArray | None:
        """Return the landmarks [468, 2] float32 of a face in pixels of image [H, W, 3] uint8 BGR.

        detected: [4, 2], the landmarks of its Detection. None: what is there shows no face to the network.
        """
        if not np.isfinite(detected).all():
            return None
        first, _ = self._look(image, similarity(detected, _FIRST_LOOK * _SIZE))
        found, presence = self._look(image, _upright(first))
        return found if presence >= _LEAST_PRESENCE else None

    def _look(self, image: Image, transform: FloatArray) -> tuple[FloatArray, float]:
        if self._session is None:
            self._session = create_session(self._path, self._session_config)
        crop = warp_closely(image, transform, _SIZE, cv2.BORDER_REPLICATE)
        batch = cv2.dnn.blobFromImage(crop, 1.0 / 255.0, swapRB=True)
        landmarks, presence = self._session.run(["landmarks", "presence"], {"image": batch})
        back = cv2.invertAffineTransform(transform)
        found: FloatArray = landmarks[0, :, :2] @ back[:, :2].T + back[:, 2]
        return found, float(presence[0])


def mesh_file() -> Path:
    """Return the path of the network that comes with the package; models/face_landmark says where it is from."""
    return share_directory() / "models" / "face_landmark" / "face_landmark.onnx"


def _upright(landmarks: FloatArray) -> FloatArray:
    """Return the similarity [2, 3] float32 from the image to the input that shows these landmarks upright and whole."""
    right, left = landmarks[_OUTER_CORNERS[0]], landmarks[_OUTER_CORNERS[1]]
    direction = (left - right) / max(float(np.hypot(*(left - right))), 1e-6)
    rotation = np.array([(direction[0], direction[1]), (-direction[1], direction[0])])
    turned = landmarks @ rotation.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    scale = _SIZE / max(_MARGIN * float((high - low).max()), 1e-6)
    shift = _SIZE / 2 - scale * (low + high) / 2
    return np.column_stack([scale * rotation, shift]).astype(np.float32)
