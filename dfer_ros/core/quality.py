"""How much a crop can tell about an expression: size, sharpness, pose and the detector's confidence."""

from __future__ import annotations

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE
from dfer_ros.core.faces import Detection, FloatArray, Image

_SMALLEST_EYE_DISTANCE = 4.0
"""Distance of the eyes in pixels below which nothing of an expression is left."""
_FULL_EYE_DISTANCE = 20.0
"""Distance of the eyes in pixels from which more pixels bring little."""
_FULL_SHARPNESS = 60.0
"""Variance of the Laplacian of a crop that is in focus."""
_PROFILE_OFFSET = 0.6
"""Offset of the nose from its frontal place, in distances of the eyes, at which half of the face is hidden."""


def face_quality(detection: Detection, aligned: Image) -> float:
    """Return the quality 0..1 of a face: the product of what its size, pose, sharpness and detection leave of it."""
    quality = (
        size_score(detection.landmarks)
        * pose_score(detection.landmarks)
        * sharpness_score(aligned)
        * detection.confidence
    )
    return float(np.clip(np.nan_to_num(quality), 0.0, 1.0))


def size_score(landmarks: FloatArray) -> float:
    """Return 0..1 by the distance of the eyes in pixels of the original image."""
    distance = float(np.hypot(*(landmarks[1].astype(np.float64) - landmarks[0])))
    return _ramp(distance, _SMALLEST_EYE_DISTANCE, _FULL_EYE_DISTANCE)


def pose_score(landmarks: FloatArray) -> float:
    """Return 1 for a frontal face, 0 for a profile, by how far the nose tip lies from its frontal place.

    Roll does not count: alignment takes it away.
    """
    landmarks = landmarks.astype(np.float64)
    eyes = landmarks[1] - landmarks[0]
    down = landmarks[3] - (landmarks[0] + landmarks[1]) / 2
    nose = landmarks[2] - (landmarks[0] + landmarks[1]) / 2
    eye_distance_squared, down_squared = float(eyes @ eyes), float(down @ down)
    if eye_distance_squared < 1.0 or down_squared < 1.0:
        return 0.0
    yaw = float(nose @ eyes) / eye_distance_squared
    frontal_height = (TEMPLATE[2, 1] - TEMPLATE[0, 1]) / (TEMPLATE[3, 1] - TEMPLATE[0, 1])
    pitch = float(nose @ down) / down_squared - frontal_height
    return 1.0 - _ramp(float(np.hypot(yaw, pitch)), 0.0, _PROFILE_OFFSET)


def sharpness_score(aligned: Image) -> float:
    """Return 0..1 by the variance of the Laplacian in the middle of the aligned crop (Pech-Pacheco 2000)."""
    edge = ALIGNED_SIZE // 4
    grey = cv2.cvtColor(aligned[edge:-edge, edge:-edge], cv2.COLOR_BGR2GRAY)
    variance = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))[1][0, 0]) ** 2
    return 0.2 + 0.8 * _ramp(variance, 0.0, _FULL_SHARPNESS)


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
