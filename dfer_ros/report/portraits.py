"""Which faces a page shows, and how they get into it. Used only on request: faces are personal data."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dfer_ros.core.emotion_track import NEUTRAL_STATE, STATES
from dfer_ros.core.faces import Image
from dfer_ros.core.video import Frame
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
    frames: Iterable[Frame], people: Mapping[str, Person], moments: Sequence[PortraitMoment]
) -> list[tuple[PortraitMoment, Image]]:
    """Return the faces at some moments, cut out of the frames of the source by frame number and face box.

    Stops at the last frame that is needed.
    """
    wanted: dict[int, list[PortraitMoment]] = {}
    for moment in moments:
        wanted.setdefault(int(people[moment.face_id].track.frames[moment.index]), []).append(moment)
    found: dict[PortraitMoment, Image] = {}
    last = max(wanted, default=-1)
    for frame in frames:
        for moment in wanted.get(frame.index, ()):
            roi = people[moment.face_id].track.rois[moment.index]
            crop = _square(frame.image, *roi.tolist())
            if crop.size:
                found[moment] = crop
        if frame.index >= last:
            break
    return [(moment, found[moment]) for moment in moments if moment in found]


def _square(image: Image, x: int, y: int, width: int, height: int) -> Image:
    """Return a square around a box, as far as it lies in the image; black beyond."""
    half = max(int(_MARGIN * max(width, height) / 2), 1)
    column, row = x + width // 2, y + height // 2
    top, left = row - half, column - half
    inside = image[max(top, 0) : max(row + half, 0), max(left, 0) : max(column + half, 0)]
    if not inside.size:
        return inside
    square = np.zeros((2 * half, 2 * half, 3), np.uint8)
    down, right = max(-top, 0), max(-left, 0)
    square[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    return square
