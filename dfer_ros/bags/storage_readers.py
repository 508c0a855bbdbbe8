"""The readers of `rosbags` for what recorders and converters leave: MCAP without profile, odd names, wrong sums.

Begin, duration and counts of a bag come from the messages in its files: those in metadata.yaml are of one part only in
bags that Humble and Galactic split, and zero in bags that were made whole again.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from rosbags.rosbag2 import Reader
from rosbags.rosbag2.reader import DirectoryReader
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

from dfer_ros.core.errors import SourceError

_PROFILE_AT = 17
"""Byte of an MCAP file at which the length of the profile stands, after magic, kind and length of the header."""
_ROS2_PROFILE = b"\x04\x00\x00\x00ros2"
_LONGEST_PROFILE = 64
_CDR = "cdr"


class _Mcap(McapReader):
    """Takes a header without profile, which the format allows, where the messages are those of ROS 2."""

    bio: Any
    path: Any

    def _open(self) -> None:
        profile = _profile(self.bio)
        if profile == "ros1":
            raise SourceError(
                f"{self.path} holds messages of ROS 1: 'rosbags-convert --src {self.path} --dst NEW', which comes with "
                "rosbags, makes a bag of ROS 2 of it."
            )
        if profile not in ("ros2", ""):
            raise SourceError(f"{self.path} holds no messages of ROS 2: its profile is {profile!r}.")
        if not profile:
            self.bio = io.BufferedReader(_WithProfile(self.bio))
        try:
            super()._open()
        except KeyError as error:  # an encoding of definitions that is none of ROS 2
            raise SourceError(
                f"{self.path} holds messages that are defined in {error.args[0]}: only those of ROS 2 are read."
            ) from error
        strange = {c.ext.serialization_format for c in self.connections} - {_CDR}
        if strange and len(strange) == len({c.ext.serialization_format for c in self.connections}):
            raise SourceError(f"{self.path} holds messages in {', '.join(sorted(strange))}: only CDR is read.")


class _Sqlite(Sqlite3Reader):
    """Takes any name, as the name goes into an address."""

    path: Any

    def open(self) -> None:
        self.path = _UriPath(os.path.abspath(self.path))  # noqa: PTH100  links stay
        super().open()


class _UriPath(type(Path())):  # type: ignore[misc]  # whatever Path is here
    def __str__(self) -> str:
        return quote(os.fsencode(super().__str__()))


def _by_suffix(path: Any) -> Any:
    """Return the reader of a storage file of which the metadata does not tell the storage."""
    return _Mcap(path) if path.suffix == ".mcap" else _Sqlite(path)


class _Directory(DirectoryReader):
    metadata: Any
    connections: list[Any]
    storages: list[Any]
    STORAGE_PLUGINS: ClassVar[dict[Any, Any]] = {"mcap": _Mcap, "sqlite3": _Sqlite, "": _by_suffix, None: _by_suffix}

    def open(self) -> None:
        super().open()
        filled = [storage.metadata for storage in self.storages if storage.metadata.message_count]
        begin = min((metadata.start_time for metadata in filled), default=2**63 - 1)
        end = max((metadata.end_time for metadata in filled), default=0)
        self.metadata = self.metadata._replace(
            start_time=begin,
            end_time=end,
            duration=max(0, end - begin) if filled else 0,
            message_count=sum(metadata.message_count for metadata in filled),
        )
        self._count_messages()

    def _count_messages(self) -> None:
        counts: dict[tuple[str, str], int] = {}
        for storage in self.storages:
            for connection in storage.connections:
                key = connection.topic, connection.msgtype
                if key not in {(c.topic, c.msgtype) for c in self.connections}:
                    self.connections.append(connection._replace(id=len(self.connections) + 1, owner=self))
                counts[key] = counts.get(key, 0) + connection.msgcount
        self.connections = [c._replace(msgcount=counts.get((c.topic, c.msgtype), 0)) for c in self.connections]


class BagReader(Reader):
    """`rosbags.rosbag2.Reader` of a bag as it was found."""

    STORAGE_PLUGINS: ClassVar[dict[Any, Any]] = {"dir": _Directory, ".mcap": _Mcap, ".db3": _Sqlite}

    def open(self) -> None:
        """Open the bag; types without `/msg/`, as some writers have them, are given it."""
        super().open()
        for storage in (self.storage, *getattr(self.storage, "storages", ())):
            storage.connections = [c._replace(msgtype=_full_type(c.msgtype)) for c in storage.connections]


def _full_type(message_type: str) -> str:
    package, _, name = message_type.partition("/")
    return f"{package}/msg/{name}" if name and "/" not in name else message_type


def _profile(file: Any) -> str:
    file.seek(_PROFILE_AT)
    length = int.from_bytes(file.read(4), "little")
    profile = file.read(length) if length <= _LONGEST_PROFILE else b"?"
    file.seek(0)
    return str(profile.decode("utf-8", "replace"))


class _WithProfile(io.RawIOBase):
    """An MCAP file whose header says ros2: the bytes of its empty profile, and of the name after it, stand for that."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        begin = self._file.tell()
        data = bytearray(self._file.read(len(buffer)))
        for place, byte in enumerate(_ROS2_PROFILE, _PROFILE_AT):
            if begin <= place < begin + len(data):
                data[place - begin] = byte
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
