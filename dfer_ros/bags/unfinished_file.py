"""Opening the storage file of a bag that was not finished, or whose end is gone; the file stays as it is."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dfer_ros.bags.damaged_database import read_database
from dfer_ros.bags.reader import unpacked
from dfer_ros.core.errors import SourceError, in_one_line, readable

_MAGIC = b"\x89MCAP0\r\n"
_RECORD = struct.Struct("<BQ")
"""Of the MCAP format: the kind of a record, and how many bytes follow."""
_FOOTER, _DATA_END = 0x02, 0x0F
_ENDING = _RECORD.pack(_DATA_END, 4) + bytes(4) + _RECORD.pack(_FOOTER, 20) + bytes(20) + _MAGIC
"""The end of a file without summary: readers scan it."""


def read_remains(file: Path) -> Iterator[tuple[Any, int, bytes]]:
    """Yield connection (`rosbags`), time of reception (nanoseconds) and bytes of each message that can be read.

    file: .mcap or .db3, or one of them packed as .zstd. Messages may come out of order.
    Raises SourceError where the damage begins, or where a file that was cut has no more, and where it may not be read.
    """
    with readable(file), tempfile.TemporaryDirectory() as folder:
        try:
            if file.suffix == ".zstd":
                with contextlib.suppress(EOFError, *_zstd_errors()):
                    unpacked(file, Path(folder))
                file = Path(folder) / file.stem
            yield from _mcap_messages(file) if file.suffix == ".mcap" else read_database(file)
        except (OSError, SourceError):
            raise
        except Exception as error:  # every storage has exceptions of its own for damage
            raise SourceError(f"The end of {file.name} is lost: {in_one_line(error)}.") from error


def _mcap_messages(path: Path) -> Iterator[tuple[Any, int, bytes]]:
    from dfer_ros.bags.storage_readers import BagReader

    file = _EndedFile(path)
    with BagReader(file) as reader:
        # Without its index a file is only read in order, and refused where it is not in order.
        yield from reader.storage.messages_scan(reader.connections)
    if not file.ended:
        raise EOFError(f"after its last whole record come {file.rest} bytes, and no mark of its end")


def _zstd_errors() -> tuple[type[Exception], ...]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return (zstd.ZstdError,)


class _EndedFile:
    """An MCAP file as `rosbags` opens files, up to its last whole record and with an end where it has none.

    ended: whether it has one. rest: bytes after the last whole record of its data.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.suffix, self.stem = path.suffix, path.stem
        with path.open("rb") as file:
            self._length, self.ended = _whole_records(file)
        self.rest = path.stat().st_size - self._length

    def exists(self) -> bool:
        return self._path.exists()

    def is_dir(self) -> bool:
        return False

    def open(self, _: str) -> BinaryIO:
        file = self._path.open("rb")
        return file if self.ended else io.BufferedReader(_WithEnding(file, self._length))

    def __str__(self) -> str:
        return str(self._path)


class _WithEnding(io.RawIOBase):
    """The first bytes of a file, with an end after them."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length + len(_ENDING)}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position < self._length:
            self._file.seek(self._position)
            data = self._file.read(min(len(buffer), self._length - self._position))
        else:
            begin = self._position - self._length
            data = _ENDING[begin : begin + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _whole_records(file: BinaryIO) -> tuple[int, bool]:
    """Return where the last whole record of the data ends, and whether the file has its end."""
    size = file.seek(0, os.SEEK_END)
    end = len(_MAGIC)
    while True:
        file.seek(end)
        head = file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            return end, False
        kind, length = _RECORD.unpack(head)
        if kind == _DATA_END:
            file.seek(-len(_MAGIC), os.SEEK_END)
            return end, file.read() == _MAGIC
        if kind in (0, _FOOTER) or end + _RECORD.size + length > size:
            return end, False
        end += _RECORD.size + length
