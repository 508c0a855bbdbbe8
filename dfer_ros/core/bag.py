"""The images of a rosbag2 folder, raw or compressed, through `rosbags`; no ROS needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dfer_ros.core.compressed_image import decode_image
from dfer_ros.core.errors import ImageError, SourceError
from dfer_ros.core.image_encoding import image_to_bgr
from dfer_ros.core.video import DEFAULT_FPS, Frame

METADATA_FILE = "metadata.yaml"
_IMAGE_TYPE = "sensor_msgs/msg/Image"
_COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"


def is_bag(path: Path) -> bool:
    """Return whether a folder is a rosbag2 bag."""
    return (path / METADATA_FILE).is_file()


class BagImages:
    """The images of one topic of a bag, stamped by their headers, or by the recorder where those have no stamp.

    topic: empty takes the only image topic.

    Raises SourceError where the bag cannot be read or the topic is not there; it names those that are.
    """

    live = False

    def __init__(self, path: Path, topic: str) -> None:
        self.unreadable: list[str] = []
        self._path = path
        with self._reader() as reader:
            self._topic = _choose_topic(reader, path, topic)
            connections = [c for c in reader.connections if c.topic == self._topic]
            self.frame_count = sum(connection.msgcount for connection in connections)
            seconds = reader.duration * 1e-9
        self.fps = (self.frame_count - 1) / seconds if self.frame_count > 1 and seconds > 0 else DEFAULT_FPS

    def frames(self) -> Iterator[Frame]:
        """Yield the images in the order of the bag."""
        with self._reader() as reader:
            connections = [c for c in reader.connections if c.topic == self._topic]
            try:
                for index, (connection, received, data) in enumerate(reader.messages(connections)):
                    message: Any = reader.deserialize(data, connection.msgtype)
                    compressed = connection.msgtype == _COMPRESSED_TYPE
                    try:
                        image = decode_image(message.data) if compressed else image_to_bgr(message)
                    except ImageError as error:
                        self.unreadable.append(str(error))
                        continue
                    stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
                    yield Frame(index, stamp or received * 1e-9, image)
            except Exception as error:  # every storage has exceptions of its own for damage
                raise SourceError(f"The bag {self._path} is damaged: {_clause(error)}.") from error

    def _reader(self) -> contextlib.closing[Any]:
        try:
            from rosbags.highlevel import AnyReader, AnyReaderError
            from rosbags.typesys import Stores, get_typestore
        except ImportError as error:
            raise SourceError("Reading bags needs the package rosbags: 'pip install rosbags'.") from error
        try:
            reader = AnyReader([self._path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            reader.open()
        except AnyReaderError as error:
            raise SourceError(f"{self._path} cannot be read as a bag: {_clause(error)}.") from error
        return contextlib.closing(reader)


def _clause(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _choose_topic(reader: Any, path: Path, topic: str) -> str:
    topics = sorted({c.topic for c in reader.connections if c.msgtype in (_IMAGE_TYPE, _COMPRESSED_TYPE)})
    if not topics:
        raise SourceError(f"There are no images in the bag {path}.")
    if topic in topics:
        return topic
    if topic or len(topics) > 1:
        problem = f"has no image topic {topic}" if topic else "has several image topics"
        raise SourceError(f"The bag {path} {problem}: choose one of {', '.join(topics)} with --topic.")
    return topics[0]
