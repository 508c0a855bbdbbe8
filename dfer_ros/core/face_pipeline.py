"""From an image to its confirmed faces: detect, track, align, judge."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dfer_ros.core.alignment import align_face
from dfer_ros.core.detection import DetectorConfig, FaceDetector
from dfer_ros.core.faces import Detection, Face, Image
from dfer_ros.core.quality import face_quality
from dfer_ros.core.tracker import Tracker, TrackerConfig


class FacePipeline:
    """The first half of the way of a frame.

    Not thread safe: one pipeline belongs to one stream and one thread; only detect() may have a thread of its own.

    cleared: whether the last image came from before the one before it, so that all tracks were cleared. Frames that
    come late only are to be dropped before: see StampOrder.
    """

    def __init__(self, detector: FaceDetector, tracker_config: TrackerConfig) -> None:
        self._detector = detector
        self._tracker = Tracker(tracker_config)
        self._newest = -math.inf
        self.cleared = False

    def configure(self, detector_config: DetectorConfig, tracker_config: TrackerConfig) -> None:
        """Take over confidence, confirmation and patience from the next image on; no track is lost."""
        self._detector.configure(detector_config)
        self._tracker.configure(tracker_config)

    def process(self, image: Image, stamp: float) -> list[Face]:
        """Return the confirmed faces of image [H, W, 3] uint8 BGR, taken at stamp seconds."""
        return self.follow(image, stamp, self.detect(image))

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of an image, whoever they are: the half of process() that remembers nothing.

        A thread of its own may call this and be ahead of the one that calls follow().
        """
        return self._detector.detect(image)

    def follow(self, image: Image, stamp: float, detections: Sequence[Detection]) -> list[Face]:
        """Return the confirmed faces of an image, taken at stamp seconds: the half of process() after detect()."""
        self.cleared, self._newest = stamp < self._newest, stamp
        if self.cleared:
            self._tracker.reset()
        return [_face(image, face_id, detection) for face_id, detection in self._tracker.update(detections, stamp)]


def _face(image: Image, face_id: str, detection: Detection) -> Face:
    aligned = align_face(image, detection.landmarks)
    return Face(face_id, detection, face_quality(detection, aligned), aligned)
