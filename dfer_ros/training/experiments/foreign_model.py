"""Model files of others: whatever is wrong with one is a sentence that names it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from dfer_ros.core.errors import ModelError

_DAMAGED = (
    *(OSError, KeyError, TypeError, ValueError, AttributeError, IndexError, struct.error),
    *(onnx.checker.ValidationError, onnx.shape_inference.InferenceError),
)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Read a file as a kind of model meanwhile. Raises ModelError with path and kind for whatever is found wrong."""
    try:
        yield
    except _DAMAGED as error:
        raise ModelError(f"{path} cannot be read as {kind}: {error}.") from error
