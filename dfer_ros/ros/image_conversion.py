"""Image messages to pixels and back, in one place; cv_bridge, where it is installed, helps out with other encodings."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import CompressedImage, Image as ImageMessage

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image
from dfer_ros.core.image_encoding import check_image_size, decode_image, image_to_bgr, knows_encoding

try:
    from cv_bridge import CvBridge

    _bridge = CvBridge()
except ImportError:
    _bridge = None


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
    # By far the fastest way in: assigning bytes or an ndarray walks over every element.
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(image).data)
    message.data = data


def _through_cv_bridge(message: ImageMessage) -> Image:
    check_image_size(message)
    try:
        image: Image = _bridge.imgmsg_to_cv2(message, "bgr8")
        return image
    except Exception as error:  # CvBridgeError, and whatever numpy, OpenCV or a broken installation raise below it
        raise ImageError(f"The image encoding '{message.encoding}' is not supported by cv_bridge: {error}.") from error
