"""Collects the faces of one image, which ROS4HRI sends on a topic for each face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dfer_ros.core.faces import Image
from dfer_ros.streams.stamps import FrameOrder, StampOrder


@dataclass(frozen=True)
class ImageFaces:
    """The faces of one image. camera: its frame id. stamp: nanoseconds. crops: [128, 128, 3] uint8 BGR, by face id."""

    camera: str
    stamp: int
    crops: dict[str, Image]


@dataclass(eq=False)
class _Camera:
    """stamp: of the newest image, -1 before it. crops: what came of it so far, None once it was handed out."""

    order: StampOrder = field(default_factory=StampOrder)
    stamp: int = -1
    crops: dict[str, Image | None] | None = None

    def was_handed_out(self, stamp: int) -> bool:
        """Whether nothing more is wanted of this stamp; images without one (zero) are all different images."""
        return stamp > 0 and stamp == self.stamp and self.crops is None

    def is_late(self, stamp: int) -> bool:
        return self.order.check(stamp * 1e-9) is FrameOrder.LATE


class FaceCollector:
    """Hands out the faces of an image when those of all tracked ids came, at the latest when a newer image comes.

    Each camera is told by its frame id and waits for its own faces only: those whose last image it took.
    """

    def __init__(self) -> None:
        self._tracked: set[str] = set()
        self._camera_of: dict[str, str] = {}
        self._cameras: dict[str, _Camera] = {}

    def track(self, camera: str, stamp: int, face_ids: Iterable[str]) -> list[ImageFaces]:
        """Take in the list of all tracked ids, sent with an image of camera, and return what is complete by it.

        An image of a camera before which nobody is tracked is complete: it has no faces.
        """
        self._tracked = set(face_ids)
        self._camera_of = {face: owner for face, owner in self._camera_of.items() if face in self._tracked}
        complete = [self._hand_out(name) for name in list(self._cameras) if self._is_complete(name)]
        named = {*self._camera_of.values(), camera}
        self._cameras = {name: one for name, one in self._cameras.items() if name in named}
        # A face that sent no image yet may be before this camera.
        if not any(self._camera_of.get(face, camera) == camera for face in self._tracked):
            complete += self._without_faces(camera, stamp)
        return complete

    def add(self, camera: str, stamp: int, face_id: str, crop: Image | None) -> list[ImageFaces]:
        """Take in the aligned image of a face, None where it is unusable, and return what is complete by it."""
        if face_id not in self._tracked:
            return []
        self._camera_of[face_id] = camera
        one = self._cameras.setdefault(camera, _Camera())
        if one.is_late(stamp) or one.was_handed_out(stamp):
            return []
        complete = []
        if one.crops is not None and (stamp != one.stamp or face_id in one.crops):
            complete.append(self._hand_out(camera))
        if one.crops is None:
            one.stamp, one.crops = stamp, {}
        one.crops[face_id] = crop
        if self._is_complete(camera):
            complete.append(self._hand_out(camera))
        return complete

    def _is_complete(self, camera: str) -> bool:
        crops = self._cameras[camera].crops
        return crops is not None and all(face in crops for face, owner in self._camera_of.items() if owner == camera)

    def _hand_out(self, camera: str) -> ImageFaces:
        one = self._cameras[camera]
        crops = {face: crop for face, crop in (one.crops or {}).items() if crop is not None}
        one.crops = None
        return ImageFaces(camera, one.stamp, crops)

    def _without_faces(self, camera: str, stamp: int) -> list[ImageFaces]:
        one = self._cameras.setdefault(camera, _Camera())
        if one.is_late(stamp) or one.was_handed_out(stamp):
            return []
        one.stamp, one.crops = stamp, {}
        return [self._hand_out(camera)]
