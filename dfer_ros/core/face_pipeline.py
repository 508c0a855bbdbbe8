"""From an image to its confirmed faces: detect, track, align, judge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from dfer_ros.core.alignment import align_face
from dfer_ros.core.detection import DetectorConfig, FaceDetector, RegionDetector
from dfer_ros.core.detection.landmark_flow import LandmarkFlow
from dfer_ros.core.faces import Detection, Face, Image
from dfer_ros.core.quality import face_quality
from dfer_ros.core.tracker import Tracker, TrackerConfig

_TOLERANCE = 1e-6
"""Seconds by which stamps may be rounded."""


class FacePipeline:
    """Turns an image into confirmed faces with aligned crops: the first half of what happens to a frame.

    The whole image is searched full_look_rate times a second, and whenever a face has no id yet or is out of sight.
    Else the known faces are looked for in their own region: by the detector where it can, else by their optical flow.
    At rates above full_look_rate a search that is due comes after the answer by the known faces: see finish().

    Not thread safe: one pipeline belongs to one stream and one thread; only locate() may have a thread of its own.

    cleared: whether the last image was older than the one before it, so that all tracks were cleared. Frames that
    come late only are to be dropped before: see StampOrder.
    full_looks: how often the whole image was looked at.
    """

    def __init__(self, detector: FaceDetector, tracker_config: TrackerConfig) -> None:
        self._detector = detector
        self._flow = None if isinstance(detector, RegionDetector) else LandmarkFlow()
        self._tracker = Tracker(tracker_config)
        self._period = 1.0 / tracker_config.full_look_rate
        self._newest = self._full_look_at = -math.inf
        self._unfinished: tuple[Image, float] | None = None
        self._look_failed = False
        self.cleared = False
        self.full_looks = 0

    def configure(self, detector_config: DetectorConfig, tracker_config: TrackerConfig) -> None:
        """Take over confidence, confirmation, patience and full looks from the next image on; no track is lost."""
        self._detector.configure(detector_config)
        self._tracker.configure(tracker_config)
        self._period = 1.0 / tracker_config.full_look_rate

    @property
    def confirm_frames(self) -> int:
        """Consecutive frames in which a face must be seen before it gets an id; may be set before the first image."""
        return self._tracker.config.confirm_frames

    @confirm_frames.setter
    def confirm_frames(self, frames: int) -> None:
        self._tracker.configure(replace(self._tracker.config, confirm_frames=frames))

    def process(self, image: Image, stamp: float) -> list[Face]:
        """Return the confirmed faces of image [H, W, 3] uint8 BGR, taken at stamp seconds."""
        return self.align(image, self.locate(image, stamp))

    def locate(self, image: Image, stamp: float) -> list[tuple[str, Detection]]:
        """Return who is where in an image, by id: the half of process() that remembers.

        A thread of its own may call this and be ahead of the one that calls align().
        """
        self.finish()
        interval, self._newest = stamp - self._newest, stamp
        self.cleared = interval < 0
        if self.cleared:
            self._tracker.reset()
        due = self._is_full_look_due(stamp, interval)
        at_once = self._look_failed or (due and not 0 < interval < self._period)
        followed = None if at_once else self._follow_faces(image, stamp)
        if due and followed:
            self._unfinished = image, stamp
            return self._tracker.named(followed)
        return self._take(image, stamp, None if due else followed)

    def finish(self) -> None:
        """Search the last image for somebody new, where that is due and known faces were answered without it.

        Who answers live calls it once the answer is out; else locate() does, before the next image, to the same end.
        """
        if self._unfinished is not None:
            (image, stamp), self._unfinished = self._unfinished, None
            self._take(image, stamp, None)

    def _take(self, image: Image, stamp: float, detections: list[Detection] | None) -> list[tuple[str, Detection]]:
        """Take in what is seen in an image, None: what a search of the whole of it finds; return who is where."""
        if detections is None:
            self._look_failed = True  # until it has not: a detector that fails must not hide behind followed faces
            detections = self._detector.detect(image)
            self._look_failed = False
            self._full_look_at = stamp
            self.full_looks += 1
        if self._flow is not None:
            self._flow.remember(image, detections)
        return self._tracker.update(detections, stamp)

    def align(self, image: Image, located: Sequence[tuple[str, Detection]]) -> list[Face]:
        """Return the faces that locate() found in an image with their crops: the half of process() without memory."""
        return [_face(image, face_id, detection) for face_id, detection in located]

    def _is_full_look_due(self, stamp: float, interval: float) -> bool:
        """Return whether the next image, as far behind as this one, would come too late for somebody new."""
        return interval <= 0 or stamp + interval - self._full_look_at > self._period + _TOLERANCE

    def _follow_faces(self, image: Image, stamp: float) -> list[Detection] | None:
        """Return the known faces in a new image, or None where it takes a look at the whole image to tell."""
        expected = self._tracker.expected(stamp)
        if not expected:
            return expected
        if isinstance(self._detector, RegionDetector):
            return self._detector.follow(image, expected)
        return self._flow.follow(image, expected) if self._flow is not None else None


def _face(image: Image, face_id: str, detection: Detection) -> Face:
    aligned = align_face(image, detection.landmarks)
    return Face(face_id, detection, face_quality(detection, aligned), aligned)
