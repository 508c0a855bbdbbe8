"""Image messages to pixels and back, in one place; cv_bridge, where it is installed, helps out with other encodings."""

from __future__ import annotations

import array

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image as ImageMessage
from std_msgs.msg import Header

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import (
    check_compressed_image,
    check_image,
    check_image_size,
    decode_image,
    image_to_bgr,
    knows_encoding,
)

_JPEG_QUALITY = 80

try:
    from cv_bridge import CvBridge

    _bridge = CvBridge()
except ImportError:
    _bridge = None


def check_usable(message: ImageMessage | CompressedImage) -> None:
    """Raise ImageError where to_bgr() would, as far as that can be seen without touching the pixels."""
    if isinstance(message, CompressedImage):
        check_compressed_image(message.data)
    elif _bridge is None or knows_encoding(message.encoding):
        check_image(message)
    else:
        check_image_size(message)


def to_bgr(message: ImageMessage | CompressedImage) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of a raw or compressed image message; raises ImageError."""
    if isinstance(message, CompressedImage):
        return decode_image(message.data)
    if _bridge is None or knows_encoding(message.encoding):
        return image_to_bgr(message)
    return _through_cv_bridge(message)


def fill_image(message: ImageMessage, image: Image) -> None:
    """Put pixels [H, W, 3] uint8 BGR into an image message, header aside."""
    message.height, message.width = image.shape[:2]
    message.encoding = "bgr8"
    message.is_bigendian = 0
    message.step = 3 * message.width
    message.data = _byte_array(np.ascontiguousarray(image))


def jpeg_message(header: Header, image: Image) -> CompressedImage:
    """Return pixels [H, W, 3] uint8 BGR as JPEG, in the words and the quality of compressed_image_transport."""
    jpeg = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1]
    return CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=_byte_array(jpeg))


def _byte_array(content: npt.NDArray[np.uint8]) -> array.array[int]:
    # By far the fastest way into a message: assigning bytes or an ndarray walks over every element.
    data = array.array("B")
    data.frombytes(content.data)
    return data


def _through_cv_bridge(message: ImageMessage) -> Image:
    check_image_size(message)
    try:
        image: Image = _bridge.imgmsg_to_cv2(message, "bgr8")
        return image
    except Exception as error:  # CvBridgeError, and whatever numpy, OpenCV or a broken installation raise below it
        raise ImageError(f"The image encoding '{message.encoding}' is not supported by cv_bridge: {error}.") from error
