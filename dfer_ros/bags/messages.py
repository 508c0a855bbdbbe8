"""The messages of a rosbag2 by topic, as bytes and as objects of the types that the bag, or this project, defines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dfer_ros.bags.reader import open_reader, read_messages
from dfer_ros.bags.types import create_typestore
from dfer_ros.core.errors import SourceError


class BagMessages:
    """An open bag. topics: the type of each topic by its name."""

    def __init__(self, reader: Any, path: Path) -> None:
        self._reader = reader
        self._path = path
        self.topics: dict[str, str] = {c.topic: c.msgtype for c in sorted(reader.connections, key=lambda c: c.topic)}

    def topics_of(self, message_type: str) -> list[str]:
        """Return the names of the topics of a type."""
        return [topic for topic, kind in self.topics.items() if kind == message_type]

    def messages(self, topic: str) -> Iterator[tuple[int, bytes]]:
        """Yield when each message of a topic was received (nanoseconds), and its bytes.

        Raises SourceError where the bag turns out to be damaged.
        """
        connections = [connection for connection in self._reader.connections if connection.topic == topic]
        for _, received, data in read_messages(self._reader, self._path, connections):
            yield received, data

    def deserializer(self, message_type: str) -> Callable[[bytes], Any]:
        """Return what turns the bytes of a message of a type into an object.

        The definition in the bag comes before the one that this project has, as the bag may be older.
        Raises SourceError where there is neither.
        """
        typestore = self._defined_in_bag(message_type) or create_typestore()
        if message_type in typestore.fielddefs:
            return lambda data: typestore.deserialize_cdr(data, message_type)
        raise SourceError(
            f"The bag {self._path} does not define {message_type}, and the package that does is not installed: "
            f"install {message_type.partition('/')[0]}."
        )

    def _defined_in_bag(self, message_type: str) -> Any:
        from rosbags.interfaces import MessageDefinitionFormat
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        for connection in self._reader.connections:
            if connection.msgtype == message_type and connection.msgdef.format is MessageDefinitionFormat.MSG:
                typestore = get_typestore(Stores.EMPTY)
                # What rosbags cannot read is read by the definition that this project has.
                with contextlib.suppress(Exception):
                    typestore.register(get_types_from_msg(connection.msgdef.data, message_type))
                    return typestore
        return None


@contextlib.contextmanager
def open_bag(path: Path) -> Iterator[BagMessages]:
    """Open a bag, a folder or one storage file, for reading; raises SourceError where it cannot be read."""
    with open_reader(path) as reader:
        yield BagMessages(reader, path)
