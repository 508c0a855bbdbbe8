"""Finds what an ONNX file must not contain before ONNX Runtime loads it: references to other files.

Weights can lie in other files, anywhere on the disk, and a compiled engine is a program. The sha256 in model.yaml
covers neither. Only the frame of the file is walked: https://onnx.ai/onnx/repo-docs/IR.html, onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dfer_ros.core.errors import ModelError

_LARGEST = 2**31 - 1
"""Bytes: no ONNX file can be longer."""
_DEEPEST = 64
"""Graphs within nodes within graphs: more is an attack on the stack."""

_TENSOR, _NODE = "tensor", "node"
_PARTS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: _NODE, 11: "attribute"},
    "graph": {1: _NODE, 5: _TENSOR, 15: "sparse tensor"},
    _NODE: {5: "attribute"},
    "attribute": {5: _TENSOR, 6: "graph", 10: _TENSOR, 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {},
}
"""The messages of onnx.proto that can hold a tensor or a node, by the numbers of their fields."""
_OPERATOR = 4
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def check_onnx_file(path: Path) -> None:
    """Raise ModelError unless the file is an ONNX file that stands alone: weights inside and no compiled engine."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"The model file {path} is too large: an ONNX file has at most 2 GiB.")
        _check_message(memoryview(path.read_bytes()), "model", 0)
    except _NotAllowed as problem:
        raise ModelError(f"The model file {path} is refused: it holds {problem}.") from problem
    except (ValueError, OSError) as error:
        raise ModelError(f"ONNX Runtime cannot load {path}: it is no readable ONNX file ({error}).") from error


class _NotAllowed(Exception):
    """Says what was found."""


def _check_message(content: memoryview, kind: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _NotAllowed(f"graphs more than {_DEEPEST} deep")
    parts = _PARTS[kind]
    for number, value in _fields(content):
        if kind == _TENSOR and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
            raise _NotAllowed("weights in another file: export them into this one")
        if not isinstance(value, memoryview):
            continue
        if kind == _NODE and number == _OPERATOR and value.tobytes() == b"EPContext":
            raise _NotAllowed("an engine compiled for one device: give the network itself")
        if number in parts:
            _check_message(value, parts[number], depth + 1)


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of the fields of a message; of fixed 4 and 8 bytes the bytes.

    Source: https://protobuf.dev/programming-guides/encoding. Raises ValueError where it is not a message.
    """
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        if tag >> 32:
            raise ValueError("a field of no known kind")
        wire = tag & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield tag >> 3, value
            continue
        if wire == 2:
            length, place = _varint(content, place)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError("a field of no known kind")
        if place + length > len(content):
            raise ValueError("it ends too soon")
        yield tag >> 3, content[place : place + length]
        place += length


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    """Return the number at a place, of seven bits a byte, and the place behind it."""
    number = 0
    for index in range(10):
        if place + index >= len(content):
            raise ValueError("it ends too soon")
        byte = content[place + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, place + index + 1
    raise ValueError("a number of more than ten bytes")
