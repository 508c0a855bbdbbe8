"""Aligned crops of stills and clips, through the same detection, tracking, alignment and quality as on the robot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dfer_ros.core.alignment import align_face
from dfer_ros.core.detection import FaceDetector
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Detection, Image
from dfer_ros.core.quality import face_quality
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.frame_source import FrameSource

JPEG_QUALITY = 95
_ENLARGED_SIDE = 320
"""Side in pixels to which a still with its border is enlarged when it is looked at again."""


@dataclass(frozen=True)
class Crop:
    """jpeg: the aligned crop as a JPEG file. frame: its index in the clip. seconds: its time there. quality: 0..1."""

    jpeg: bytes
    quality: float
    frame: int = 0
    seconds: float = 0.0


def still_crop(image: Image, detector: FaceDetector) -> Crop | None:
    """Return the crop of the largest face in an image [H, W, 3] uint8 BGR, None where there is no face."""
    found = detector.detect(image) or _detect_with_border(image, detector)
    if not found:
        return None
    largest = max(found, key=_area)
    aligned = align_face(image, largest.landmarks)
    return Crop(_jpeg(aligned), face_quality(largest, aligned))


def clip_crops(source: FrameSource, detector: FaceDetector) -> list[Crop]:
    """Return the crops of the person who is seen in most frames of a clip, of two alike the larger one.

    Every frame with that person gives a crop: a face is confirmed at once, for a labelled clip has one, and its first
    frames are the onset. Raises SourceError where the clip cannot be read.
    """
    pipeline = FacePipeline(detector, TrackerConfig(confirm_frames=1))
    crops: dict[str, list[Crop]] = defaultdict(list)
    area: dict[str, float] = defaultdict(float)
    for frame in source.frames():
        for face in pipeline.process(frame.image, frame.stamp):
            crops[face.id].append(Crop(_jpeg(face.aligned), face.quality, frame.index, frame.stamp))
            area[face.id] += _area(face.detection)
    longest = max(crops, key=lambda face: (len(crops[face]), area[face]), default="")
    return crops[longest]


def _detect_with_border(image: Image, detector: FaceDetector) -> list[Detection]:
    """Return the faces of an image put into a wide border and enlarged: those of tight or tiny images are found so."""
    height, width = image.shape[:2]
    border = max(height, width) // 2
    scale = max(1.0, _ENLARGED_SIDE / (2 * max(height, width)))
    canvas = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
    size = (round(canvas.shape[1] * scale), round(canvas.shape[0] * scale))
    found = detector.detect(cv2.resize(canvas, size, interpolation=cv2.INTER_CUBIC))
    return [_within(detection, scale, border) for detection in found]


def _within(detection: Detection, scale: float, border: int) -> Detection:
    box = detection.box / scale
    box[:2] -= border
    return replace(detection, box=box, landmarks=(detection.landmarks / scale - border).astype(np.float32))


def _area(detection: Detection) -> float:
    return float(detection.box[2] * detection.box[3])


def _jpeg(crop: Image) -> bytes:
    return cv2.imencode(".jpg", crop, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1].tobytes()
