"""Serialized messages into a rosbag2, readable for `ros2 bag` from Humble on; no ROS needed."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dfer_ros.bags.message_definitions import TypeDefinition
from dfer_ros.core.errors import SourceError, in_one_line, readable, writable

STORAGES = ("mcap", "sqlite3")
_METADATA_VERSION = 8
"""The newest that Humble reads too: from 9 on, profiles are written in a form that it cannot parse."""


class BagWriter:
    """A bag that is written message by message. It has no metadata, and so is no bag yet, before close().

    path: the folder that it makes. storage: one of STORAGES.
    Raises SourceError where the folder is there already or cannot be written, and where rosbags is not installed.
    """

    def __init__(self, path: Path, storage: str = STORAGES[0]) -> None:
        try:
            from rosbags.rosbag2 import StoragePlugin

            from dfer_ros.bags.storage import FlushingWriter
        except ImportError as error:
            raise SourceError("Writing bags needs the package rosbags: 'pip install rosbags'.") from error
        check_free(path)
        self.path = path
        self._made = [folder for folder in path.absolute().parents if not folder.exists()]
        self.messages = self.bytes = 0
        self._writer = FlushingWriter(path, version=_METADATA_VERSION, storage_plugin=StoragePlugin[storage.upper()])
        with writable(path, SourceError):
            self._writer.open()

    def add_topic(self, name: str, message_type: str, definition: TypeDefinition, qualities: Sequence[Any]) -> Any:
        """Return the handle of a new topic for write().

        qualities: the `rosbags.interfaces.Qos` that its publishers offered.
        """
        return self._writer.add_connection(
            name, message_type, msgdef=definition.text, rihs01=definition.hash, offered_qos_profiles=qualities
        )

    def write(self, topic: Any, received: int, data: bytes) -> None:
        """Append a message, received at a time in nanoseconds since 1970. Raises SourceError where that fails."""
        with self._abort_on_error():
            self._writer.write(topic, received, data)
        self.messages += 1
        self.bytes += len(data)

    def flush(self) -> None:
        """Make all messages so far outlive this process. Raises SourceError where that fails."""
        with self._abort_on_error():
            self._writer.flush()

    def close(self) -> None:
        """Finish the bag; one without any message is taken away again. Raises SourceError where that fails."""
        if not self.messages:
            self.discard()
            return
        with self._abort_on_error():
            self._writer.close()

    def discard(self) -> None:
        """Take away what was written, and the folders that were made for it and are empty."""
        with contextlib.suppress(Exception):
            self._writer.abort()
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    @contextlib.contextmanager
    def _abort_on_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            with contextlib.suppress(Exception):
                self._writer.abort()
            raise SourceError(f"The bag {self.path} cannot be written any further ({in_one_line(error)}).") from error


def check_free(path: Path) -> None:
    """Raise SourceError where something has the name of a bag that is to be written."""
    with readable(path):
        if path.exists():
            raise SourceError(f"{path} exists already: choose another name with --output, or remove it.")
