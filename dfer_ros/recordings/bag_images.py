"""The images of a rosbag2, raw or compressed, through `rosbags`; no ROS needed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dfer_ros.bags.reader import open_reader, read_messages
from dfer_ros.bags.types import COMPRESSED_IMAGE_TYPE, IMAGE_TYPES, find_topic
from dfer_ros.core.errors import ImageError, SourceError
from dfer_ros.core.image_encoding import decode_image, encoding_remark, image_to_bgr
from dfer_ros.recordings.bag_stamps import BagStamps
from dfer_ros.recordings.frame_source import DEFAULT_FPS, Frame, Shortfall


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
