"""Image messages to BGR pixels without cv_bridge, from any object that has the fields of sensor_msgs/Image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image

# encoding: channels of 8 bits, and OpenCV's conversion to BGR. OpenCV names a Bayer pattern by its second row.
_ENCODINGS: dict[str, tuple[int, int | None]] = {
    "bgr8": (3, None),
    "8UC3": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "8UC4": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
    "8UC1": (1, cv2.COLOR_GRAY2BGR),
    "yuv422": (2, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2BGR_YUYV),
    "yuyv": (2, cv2.COLOR_YUV2BGR_YUYV),
    "bayer_rggb8": (1, cv2.COLOR_BayerBG2BGR),
    "bayer_bggr8": (1, cv2.COLOR_BayerRG2BGR),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGR2BGR),
    "bayer_grbg8": (1, cv2.COLOR_BayerGB2BGR),
}
_LONGEST_NAME = 40


def check_image_size(message: Any) -> None:
    """Raise ImageError where an image has no pixels, or fewer bytes than its size or its encoding asks for."""
    if message.width == 0 or message.height == 0:
        raise ImageError(f"The image is {message.width}x{message.height} pixels: check the camera driver.")
    if message.step * message.height > len(message.data):
        raise ImageError(
            f"The image is truncated: {message.height} rows of {message.step} bytes need more than the "
            f"{len(message.data)} bytes it has; check the camera driver and the transport."
        )
    channels, _ = _ENCODINGS.get(message.encoding, (1, None))
    if message.step < message.width * channels:
        raise ImageError(
            f"The image's rows are {message.step} bytes, too few for {message.width} pixels of "
            f"{_shown(message.encoding)}: check the camera driver."
        )


def image_to_bgr(message: Any) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of an image message; bgr8 is a view of its buffer, not a copy.

    Raises ImageError for an encoding that is not known and for sizes that do not fit the buffer.
    """
    check_image_size(message)
    if message.encoding not in _ENCODINGS:
        raise ImageError(
            f"The image encoding '{_shown(message.encoding)}' is not supported: use {', '.join(_ENCODINGS)}."
        )
    channels, conversion = _ENCODINGS[message.encoding]
    if channels == 2 and message.width % 2:
        raise ImageError(
            f"An image in {message.encoding} must be of even width, not {message.width}: check the driver."
        )
    shape: tuple[int, ...] = (message.height, message.width, channels)
    pixels: Image = np.ndarray(shape, np.uint8, message.data, strides=(message.step, channels, 1))
    if channels == 1:
        pixels = pixels[..., 0]
    return pixels if conversion is None else cv2.cvtColor(pixels, conversion)


def _shown(encoding: str) -> str:
    """Return an encoding on one line, and not longer than a name would be, whatever a driver sent."""
    shown = encoding if len(encoding) <= _LONGEST_NAME else encoding[:_LONGEST_NAME] + "..."
    return shown.encode("unicode_escape").decode("ascii")
