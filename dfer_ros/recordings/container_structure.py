"""Whether the parts of a video file follow each other as its format says, up to the end that it announces.

FFmpeg passes over what is missing there without a word, as players do.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_CLUSTER = 0x1F43B675
_IN_SEGMENT = {_CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
_IN_CLUSTER = {0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0xAF, 0x5854, 0x5854AE}
_ANYWHERE = {0xEC, 0xBF}
"""Elements of Matroska (RFC 9559): clusters are gone into, so that the parts of both stand beside each other."""
_LONGEST_HEADER = 12


def is_cut_or_damaged(path: Path) -> bool:
    """Return whether an MP4, Matroska (WebM) or AVI file lacks bytes that it announces, or is damaged between parts.

    False for what has another format. Raises OSError where the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(_LONGEST_HEADER)
        if begin[:4] == b"RIFF":
            return 8 + int.from_bytes(begin[4:8], "little") > size
        if begin[4:8] == b"ftyp":
            return _boxes_end(file, size) > size
        if begin[:4] == _EBML.to_bytes(4, "big"):
            return not _is_matroska_whole(file, size)
    return False


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Return where the last box (ISO 14496-12, 4.2) at the top of a file ends."""
    place = 0
    while place < size:
        file.seek(place)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: up to the end of the file
            return size
        place += length
    return place


def _is_matroska_whole(file: BinaryIO, size: int) -> bool:
    place, end = 0, size
    while place < end:
        file.seek(place)
        header = file.read(_LONGEST_HEADER)
        name, name_bytes = _number(header, 0, keep_marker=True)
        length, length_bytes = _number(header, name_bytes)
        if not name_bytes or not length_bytes:
            return False
        place += name_bytes + length_bytes
        known = length != (1 << 7 * length_bytes) - 1
        if name == _SEGMENT:
            end = place + length if known else size
            if end > size:
                return False
        elif name != _CLUSTER:
            if name not in _IN_SEGMENT | _IN_CLUSTER | _ANYWHERE | {_EBML} or not known:
                return False
            place += length
    return place == end


def _number(header: bytes, at: int, keep_marker: bool = False) -> tuple[int, int]:
    """Return a number of variable length (RFC 8794, 4) and how many bytes it has; 0 where it is none."""
    first = header[at] if at < len(header) else 0
    count = 9 - first.bit_length() if first else 0
    if not count or at + count > len(header):
        return 0, 0
    value = int.from_bytes(header[at : at + count], "big")
    return (value if keep_marker else value & ((1 << 7 * count) - 1)), count
