"""The images of a rosbag2, raw or compressed, through `rosbags`; no ROS needed."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from dfer_ros.bags.reader import open_reader, read_messages
from dfer_ros.bags.types import COMPRESSED_IMAGE_TYPE, IMAGE_TYPES, find_topic
from dfer_ros.core.errors import ImageError, SourceError
from dfer_ros.core.image_encoding import decode_image, encoding_remark, image_to_bgr
from dfer_ros.recordings.frame_source import DEFAULT_FPS, Frame, Shortfall
from dfer_ros.streams.stamps import repeated_stamps


class BagImages:
    """The images of one topic of a bag, stamped by their headers, or by the recorder where those have no stamp.

    topic: empty takes the only image topic. Messages that are damaged, or no image, are passed over.
    Raises SourceError where the bag cannot be read or the topic is not there; it names those that are.
    """

    live = False

    def __init__(self, path: Path, topic: str) -> None:
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
        self._path = path
        with open_reader(path) as reader:
            self._topic = _choose_topic(reader, path, topic)
            self.frame_count = sum(connection.msgcount for connection in self._connections(reader))
            seconds = reader.duration * 1e-9
        self.fps = (self.frame_count - 1) / seconds if self.frame_count > 1 and seconds > 0 else DEFAULT_FPS

    def frames(self) -> Iterator[Frame]:
        """Yield the images in the order of the bag."""
        from rosbags.typesys import Stores, get_typestore

        # The types of images have been the same since the first ROS 2; what a bag defines besides may not even parse.
        deserialize = get_typestore(Stores.ROS2_HUMBLE).deserialize_cdr
        stamps = BagStamps()
        self.remarks.clear()
        with open_reader(self._path) as reader:
            messages = enumerate(read_messages(reader, self._path, self._connections(reader)))
            stamped = stamps.stamped((each, _header_stamp(each[1][2]), each[1][1]) for each in messages)
            for (index, (connection, _, data)), stamp in stamped:
                try:
                    message: Any = deserialize(data, connection.msgtype)
                except Exception:  # whatever damaged bytes lead to
                    self.unreadable.append(f"Message {index} of {self._topic} in the bag {self._path} is damaged.")
                    continue
                compressed = connection.msgtype == COMPRESSED_IMAGE_TYPE
                try:
                    image = decode_image(message.data) if compressed else image_to_bgr(message)
                except ImageError as error:
                    self.unreadable.append(f"Message {index} of {self._topic} in the bag {self._path}: {error}")
                    continue
                remark = "" if compressed else encoding_remark(message.encoding)
                if remark and remark not in self.remarks:
                    self.remarks.append(remark)
                yield Frame(index, stamp, image)
        self.remarks += stamps.remarks()

    def _connections(self, reader: Any) -> list[Any]:
        return [c for c in reader.connections if c.topic == self._topic and c.msgtype in IMAGE_TYPES]


def _header_stamp(data: bytes) -> int:
    """Return the stamp (nanoseconds) of a message that begins with a header; 0 where it has none."""
    if len(data) < 12:
        return 0
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return max(0, int(seconds * 10**9 + nanoseconds))


def _choose_topic(reader: Any, path: Path, topic: str) -> str:
    topics = sorted({c.topic for c in reader.connections if c.msgtype in IMAGE_TYPES})
    if not topics:
        there = ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections})) or "none"
        raise SourceError(f"There are no images in the bag {path}; its topics: {there}.")
    found = find_topic(topics, topic)
    if found:
        return found
    if topic or len(topics) > 1:
        problem = f"has no image topic {topic}" if topic else "has several image topics"
        raise SourceError(f"The bag {path} {problem}: choose one of {', '.join(topics)} with --topic.")
    return topics[0]


_NANOSECONDS = 10**9
_MOST_WAITING = 16
"""Images without a stamp that wait for the next one with a stamp."""

T = TypeVar("T")


class BagStamps:
    """The stamps of one stream.

    A header without a stamp, or with that of the image before, says nothing of its image. Then the time of reception
    counts, less the delay of the last image that says something: two clocks in one stream would make one half late.
    missing, repeated, count: images without a stamp, with that of the image before, and in all.
    """

    def __init__(self) -> None:
        self.missing = self.repeated = self.count = 0

    def stamped(self, messages: Iterable[tuple[T, int, int]]) -> Iterator[tuple[T, float]]:
        """Yield messages, each with its stamp in seconds, in the same order.

        messages: with the stamp of the header (0: none) and the time of reception, nanoseconds.
        """
        waiting: list[tuple[T, int]] = []
        told = last = 0
        delay: int | None = None
        for message, stamp, received in messages:
            self.count += 1
            self.missing += stamp == 0
            self.repeated += stamp != 0 and stamp == told
            if stamp in (0, told):
                waiting.append((message, received))
                if len(waiting) < _MOST_WAITING:
                    continue
            first = received - stamp if stamp not in (0, told) else 0
            for item, time in _between(waiting, first if delay is None else delay, last, stamp if first else 0):
                last = time
                yield item, time / _NANOSECONDS
            waiting.clear()
            if stamp not in (0, told):
                told = last = stamp
                delay = received - stamp
                yield message, stamp / _NANOSECONDS
        for item, time in _between(waiting, delay or 0, last, 0):
            yield item, time / _NANOSECONDS

    def remarks(self) -> list[str]:
        """Return what was wrong with the stamps, a sentence each."""
        remarks = []
        if 0 < self.missing < self.count:
            remarks.append(
                f"{self.missing} of {self.count} images have no stamp: the time of the recorder stands for it."
            )
        if self.repeated:
            remarks.append(f"{repeated_stamps(self.repeated, self.count)}, and the time of the recorder stands for it.")
        return remarks


def _between(waiting: list[tuple[T, int]], delay: int, last: int, following: int) -> Iterator[tuple[T, int]]:
    """Yield the waiting messages with times after the last stamp and before the following one; 0: there is none."""
    for place, (message, received) in enumerate(waiting, 1):
        time = received - delay
        if last and following > last and not last < time < following:
            time = last + (following - last) * place // (len(waiting) + 1)
        yield message, time
