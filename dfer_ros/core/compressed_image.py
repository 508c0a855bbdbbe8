"""JPEG and PNG bytes to BGR pixels."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image


def decode_image(data: bytes | array[int] | npt.NDArray[np.uint8]) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of a compressed image; raises ImageError if OpenCV cannot decode it."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error:  # no bytes, or a header that claims more pixels than OpenCV allows
        image = None
    if image is None:
        raise ImageError(
            f"The compressed image of {len(buffer)} bytes cannot be decoded: does its publisher send JPEG or PNG?"
        )
    return image
