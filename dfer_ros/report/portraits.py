"""Which faces a page shows, and how they get into it. Used only on request: faces are personal data."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.recordings.emotion_track import NEUTRAL_STATE, STATES
from dfer_ros.recordings.frame_source import Frame
from dfer_ros.report.person import Person

_SIDE = 112
_JPEG_QUALITY = 78
_MARGIN = 1.25
"""Side of the square around a face box, in the longer side of the box."""


@dataclass(frozen=True)
class PortraitMoment:
    """A moment whose face shows something. index: of the answer in the person's track. stamp: seconds."""

    face_id: str
    state: str
    index: int
    stamp: float


@dataclass(frozen=True)
class Portrait:
    """A face in the page. data_uri: a JPEG."""

    moment: PortraitMoment
    data_uri: str


def portrait_moments(people: Sequence[Person]) -> list[PortraitMoment]:
    """Return for each person the surest neutral moment, and the apex of the strongest episode of each expression."""
    moments = []
    for person in people:
        track = person.track
        for figures in person.ranking:
            state = STATES.index(figures.state)
            own = [episode for episode in person.episodes if episode.expression == figures.state]
            if state == NEUTRAL_STATE:
                index = int(np.where(track.states == state, track.confidences, -1).argmax())
            elif own:
                index = max(own, key=lambda episode: episode.intensity * episode.confidence).apex_index
            else:
                continue
            moments.append(PortraitMoment(person.face_id, figures.state, index, float(track.stamps[index])))
    return moments


def portraits_of(crops: Iterable[tuple[PortraitMoment, Image]]) -> dict[str, list[Portrait]]:
    """Return the portraits by face id, in the order of the moments, from a picture [H, W, 3] uint8 BGR of each."""
    portraits: dict[str, list[Portrait]] = {}
    for moment, crop in crops:
        small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
        portraits.setdefault(moment.face_id, []).append(Portrait(moment, uri))
    return portraits


def crops_from_frames(
    frames: Iterable[Frame], people: Mapping[str, Person], moments: Sequence[PortraitMoment], tolerance: float
) -> list[tuple[PortraitMoment, Image]]:
    """Return the faces at some moments, cut out of the frames of the source by frame number and face box.

    Stops at the last frame that is needed; faces beyond the end of the source are left out.
    tolerance: seconds by which the stamp of a frame may miss that of the answer.
    Raises SourceError where a stamp misses it by more, or a box is not within its frame: that is another source.
    """
    wanted: dict[int, list[PortraitMoment]] = {}
    for moment in moments:
        wanted.setdefault(int(people[moment.face_id].track.frames[moment.index]), []).append(moment)
    found: dict[PortraitMoment, Image] = {}
    last = max(wanted, default=-1)
    for frame in frames:
        for moment in wanted.get(frame.index, ()):
            roi = people[moment.face_id].track.rois[moment.index].tolist()
            _check_origin(frame, moment, roi, tolerance)
            found[moment] = _square(frame.image, *roi)
        if frame.index >= last:
            break
    return [(moment, found[moment]) for moment in moments if moment in found]


def _check_origin(frame: Frame, moment: PortraitMoment, roi: Sequence[int], tolerance: float) -> None:
    """Raise SourceError where the face of a moment cannot have been seen in this frame."""
    x, y, width, height = roi
    rows, columns = frame.image.shape[:2]
    if abs(frame.stamp - moment.stamp) > tolerance:
        reason = f"frame {frame.index} is at {frame.stamp:.3f} s in it, and at {moment.stamp:.3f} s in the recording"
    elif not (x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= columns and y + height <= rows):
        reason = (
            f"frame {frame.index} has {columns} x {rows} pixels, and {moment.face_id} was seen in it at x {x}, y {y}, "
            f"{width} x {height} pixels large"
        )
    else:
        return
    raise SourceError(f"--source is not what was analyzed: {reason}; name the video, folder or bag of this recording.")


def _square(image: Image, x: int, y: int, width: int, height: int) -> Image:
    """Return a square around a box in the image; black beyond the image."""
    half = max(int(_MARGIN * max(width, height) / 2), 1)
    column, row = x + width // 2, y + height // 2
    top, left = row - half, column - half
    inside = image[max(top, 0) : max(row + half, 0), max(left, 0) : max(column + half, 0)]
    square = np.zeros((2 * half, 2 * half, 3), np.uint8)
    down, right = max(-top, 0), max(-left, 0)
    square[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    return square
