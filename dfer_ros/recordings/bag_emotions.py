"""The emotions of a rosbag2, and the crops of their faces, through `rosbags`; no ROS needed."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from dfer_ros.bags.messages import BagMessages, open_bag
from dfer_ros.bags.types import EMOTIONS_TYPE, FACES_TYPE, find_topic
from dfer_ros.core.errors import ImageError, SourceError, in_one_line
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import image_to_bgr
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.track_builder import TrackBuilder
from dfer_ros.streams.stamps import CLOCK_TOLERANCE

_MOST_DAMAGED = 0.1
"""Share of damaged messages up to which the others still count as the recording."""
_NO_ROI = (0.0, 0.0, 0.0, 0.0)
_NANOSECONDS = 10**9
_STATE = {name: index for index, name in enumerate(STATES)}


def read_bag_emotions(path: Path, topic: str = "") -> RecordedEmotions:
    """Return what one topic of dfer_msgs/EmotionArray in a bag holds.

    topic: empty takes the only such topic. Frames whose header has no stamp are stamped by the recorder; then nothing
    is known of when they were received.
    Raises SourceError where the bag cannot be read, has no such topic (it names those that are there), or where the
    topic is empty or most of it damaged.
    """
    messages = _Messages()
    with open_bag(path) as bag:
        topic = _choose_topic(bag, path, topic)
        deserialize = bag.deserializer(EMOTIONS_TYPE)
        for received, data in bag.messages(topic):
            messages.add(received, data, deserialize)
    return messages.recording(path, topic)


def read_bag_crops(path: Path, topic: str, wanted: Collection[tuple[float, str]]) -> dict[tuple[float, str], Image]:
    """Return the aligned crops that a bag holds of some faces, by stamp (seconds) and face id.

    topic: that of the emotions; faces are looked for beside it, else in all topics of dfer_msgs/FaceArray.
    Raises SourceError where the bag has no such topic.
    """
    crops: dict[tuple[float, str], Image] = {}
    stamps = {stamp for stamp, _ in wanted}
    with open_bag(path) as bag:
        topics = bag.topics_of(FACES_TYPE)
        if not topics:
            raise SourceError(
                f"There are no faces ({FACES_TYPE}) in the bag {path}: record them as well, or leave out --faces."
            )
        deserialize = bag.deserializer(FACES_TYPE)
        beside = topic.rpartition("/")[0] + "/faces"
        for name in [beside] if beside in topics else topics:
            for _, data in bag.messages(name):
                stamp = _header_stamp(data)
                if stamp not in stamps:
                    continue
                for face in deserialize(data).faces:
                    if (stamp, face.id) in wanted:
                        with contextlib.suppress(ImageError):
                            crops[stamp, face.id] = image_to_bgr(face.aligned)
    return crops


def _header_stamp(data: bytes) -> float:
    """Return the stamp (seconds) of a message that begins with a header, without the cost of the rest."""
    if len(data) < 12:
        return -1.0
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return float((seconds * _NANOSECONDS + nanoseconds) / _NANOSECONDS)


def _choose_topic(bag: BagMessages, path: Path, topic: str) -> str:
    topics = bag.topics_of(EMOTIONS_TYPE)
    found = find_topic(topics, topic)
    if found:
        return found
    if not topics:
        there = ", ".join(f"{name} ({kind})" for name, kind in bag.topics.items()) or "none"
        raise SourceError(f"There are no emotions ({EMOTIONS_TYPE}) in the bag {path}; its topics: {there}.")
    if topic or len(topics) > 1:
        problem = f"has no emotions on {topic}" if topic else "has emotions on several topics"
        raise SourceError(f"The bag {path} {problem}: choose one of {', '.join(topics)} with --topic.")
    return topics[0]


class _Messages:
    """The messages of the topic, and which of them are damaged."""

    def __init__(self) -> None:
        self._rows = TrackBuilder()
        self._stamps: list[float] = []
        self._received: list[float] = []
        self._unstamped = 0
        self._damaged = 0
        self._reason = ""
        self._jumps = 0

    def add(self, received: int, data: bytes, deserialize: Callable[[bytes], Any]) -> None:
        try:
            message = deserialize(data)
            told = message.header.stamp.sec * _NANOSECONDS + message.header.stamp.nanosec
            stamp = (told or received) / _NANOSECONDS
            for emotion in message.emotions:
                self._rows.add(emotion.face_id, _row(emotion, stamp))
        except Exception as error:  # whatever damaged bytes lead to
            self._damaged += 1
            self._reason = self._reason or in_one_line(error)
            return
        if self._stamps and stamp < self._stamps[-1] - CLOCK_TOLERANCE:
            self._jumps += 1
        self._unstamped += not told
        self._stamps.append(stamp)
        self._received.append(received / _NANOSECONDS)

    def recording(self, path: Path, topic: str) -> RecordedEmotions:
        count = len(self._stamps) + self._damaged
        if not count:
            raise SourceError(f"The topic {topic} of the bag {path} is empty.")
        if self._damaged > _MOST_DAMAGED * count:
            raise SourceError(
                f"{self._damaged} of the {count} messages on {topic} in the bag {path} are damaged, more than one in "
                f"ten; the first: {self._reason}."
            )
        tracks, impossible = self._rows.tracks()
        remarks = []
        if self._damaged:
            remarks.append(f"{self._damaged} of {count} messages are damaged and were left out.")
        if impossible:
            remarks.append(f"{impossible} answers have numbers out of range and were left out.")
        if self._jumps:
            remarks.append(f"Stamps that went back: {self._jumps}. The frames were sorted by their stamps.")
        if self._unstamped:
            remarks.append(f"{self._unstamped} headers have no stamp: the time of the recorder stands for it.")
        stamps = np.array(self._stamps)
        order = np.argsort(stamps, kind="stable")
        received = None if self._unstamped else np.array(self._received)[order]
        return RecordedEmotions(
            path.resolve().stem if path.is_file() else path.resolve().name,
            tracks,
            stamps[order],
            received,
            tuple(remarks),
        )


def _row(emotion: Any, stamp: float) -> tuple[float, ...]:
    return (
        stamp,
        -1,
        *_NO_ROI,
        _STATE[emotion.expression],
        emotion.phase,
        emotion.confidence,
        emotion.valence,
        emotion.arousal,
        emotion.intensity,
        *emotion.probabilities.tolist(),
    )
