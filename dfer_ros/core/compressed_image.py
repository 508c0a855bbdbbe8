"""JPEG and PNG bytes to BGR pixels."""

from __future__ import annotations

import zlib
from array import array

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decode_image(data: bytes | array[int] | npt.NDArray[np.uint8]) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of a compressed image; raises ImageError if OpenCV cannot decode it."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if not _is_damaged_png(buffer.data) else None
    except cv2.error:  # no bytes, or a header that claims more pixels than OpenCV allows
        image = None
    if image is None:
        raise ImageError(
            f"The compressed image of {len(buffer)} bytes cannot be decoded: does its publisher send JPEG or PNG?"
        )
    return image


def _is_damaged_png(data: memoryview) -> bool:
    """Return whether this is a PNG with a chunk that is cut off or fails its checksum.

    libpng would say so as well, but on standard error, in a line of its own for every image.
    """
    if bytes(data[:8]) != _PNG_SIGNATURE:
        return False
    start = 8
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if zlib.crc32(data[start + 4 : end]) != int.from_bytes(data[end : end + 4], "big") or end + 4 > len(data):
            return True
        if bytes(data[start + 4 : start + 8]) == b"IEND":
            return False
        start = end + 4
    return True
