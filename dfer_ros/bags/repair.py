"""What a killed recorder left, or what is left of a truncated file, made a whole bag; no ROS needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfer_ros.bags.message_definitions import definition_in_bag
from dfer_ros.bags.reader import check_no_ros1, check_one_recording, storage_files
from dfer_ros.bags.unfinished_file import read_remains
from dfer_ros.bags.writer import BagWriter
from dfer_ros.core.errors import SourceError
from dfer_ros.streams.file_suffixes import STORAGE_SUFFIXES, storage_suffix

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class RepairedBag:
    """messages: how many were saved. remarks: what was not, a sentence each."""

    messages: int
    remarks: tuple[str, ...]


def repair_bag(path: Path, target: Path, storage: str) -> RepairedBag:
    """Write a new bag with all messages that can be read of a folder or storage file, which stays as it is.

    storage: of the new bag.
    Raises SourceError where nothing can be read, and where the new bag cannot be written.
    """
    check_no_ros1(path)
    files = _files(path)
    if not files:
        raise SourceError(f"There is no bag {path}: it holds no {' or '.join(STORAGE_SUFFIXES)} file.")
    repair = _Repair(BagWriter(target, storage))
    try:
        for file in files:
            repair.add(file)
        repair.writer.close()
    except BaseException:
        repair.writer.discard()
        raise
    if not repair.writer.messages:
        raise SourceError(f"There is no message in {path} that can be read. {' '.join(repair.remarks)}".rstrip())
    return RepairedBag(repair.writer.messages, tuple(repair.remarks))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if storage_suffix(path) in STORAGE_SUFFIXES else []
    check_one_recording(path)
    files = storage_files(path)
    # A recorder that was killed while it packed a file left that file as well.
    return [file for file in files if file.suffix in STORAGE_SUFFIXES or file.with_suffix("") not in files]


class _Repair:
    def __init__(self, writer: BagWriter) -> None:
        self.writer = writer
        self.remarks: list[str] = []
        self._topics: dict[tuple[str, str], Any] = {}

    def add(self, file: Path) -> None:
        """Copy what can be read of a file."""
        for connection, received, data in self._messages(file):
            topic = self._topic(connection)
            if topic is not None:
                self.writer.write(topic, received, _unpacked(data))

    def _messages(self, file: Path) -> Iterator[tuple[Any, int, bytes]]:
        try:
            yield from read_remains(file)
        except SourceError as error:
            self.remarks.append(str(error))

    def _topic(self, connection: Any) -> Any:
        key = connection.topic, connection.msgtype
        if key not in self._topics:
            try:
                definition = definition_in_bag(connection)
            except SourceError as error:
                self.remarks.append(f"{connection.topic} was left out: {error}")
                self._topics[key] = None
            else:
                qualities = connection.ext.offered_qos_profiles
                self._topics[key] = self.writer.add_topic(*key, definition, qualities)
        return self._topics[key]


def _unpacked(data: bytes) -> bytes:
    """Return a message as it was before it was packed; what remains of a bag does not tell whether it was."""
    if not data.startswith(_ZSTD_MAGIC):
        return data
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.decompress(data))
