"""What a camera's `camera_info` says of its image, or what is assumed where there is none."""

from __future__ import annotations

import math
import time

import numpy as np
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo

from dfer_ros.core.head_pose import Camera, default_camera
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import latest_only

_PATIENCE_SECONDS = 2.0
"""How long a calibration is waited for, from when it was first asked for, before it is said to be missing."""
_OPENCV_MODELS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14)}
"""The distortion models that are OpenCV's own, and how many coefficients they may have."""
_FISHEYE_MODEL = "equidistant"
_SHAPE_TOLERANCE = 0.02
"""By how much aspect ratios may differ: a driver that pads 1080 rows to 1088 is within it, 4:3 for 5:4 is not."""


class CameraCalibration:
    """Reads `camera_info` beside the topic `image`, as image_transport names it, or where it is remapped.

    It listens from when a camera is first asked for to the first calibration of such images: at the rate of a camera
    these messages cost 3 % of a core, and what they say stays.
    field_of_view: degrees across the longer side of the image, assumed where nobody publishes a calibration, or one of
    images of another shape; a warning says so once.
    """

    def __init__(self, node: Node, log: ThrottledLog, field_of_view: float) -> None:
        self.topic = camera_info_topic(node)
        self._node = node
        self._log = log
        self._field_of_view = field_of_view
        self._rectified = self._is_rectified()
        self._info: CameraInfo | None = None
        self._asked_at: float | None = None
        self._size = (0, 0)
        self._said = ""
        self._subscription: Subscription | None = None

    def camera(self, width: int, height: int) -> Camera:
        """Return the camera that took an image of this size in pixels."""
        info, self._size = self._info, (width, height)
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            self._listen()
        calibrated = None if info is None else calibrated_camera(info, width, height, self._rectified)
        if info is not None and calibrated is not None:
            if not has_shape(info, width, height):
                self._say(
                    f"{self.topic} is of images of {'x'.join(map(str, _part(info)))}, and these are {width}x{height}, "
                    f"of another shape: heads are placed as if the camera saw {self._field_of_view:g} degrees across "
                    "the longer side of its image; publish the calibration of these images."
                )
                self._listen()
                return default_camera(width, height, self._field_of_view)
            self._say("", f"The calibration on {self.topic} is used to tell where heads are.")
            return calibrated
        if time.monotonic() - self._asked_at >= _PATIENCE_SECONDS:
            reason = "Nobody publishes" if info is None else "There is no calibration in"
            self._say(
                f"{reason} {self.topic}: heads are placed as if the camera saw {self._field_of_view:g} degrees across "
                "the longer side of its image; set field_of_view, or calibrate it.",
            )
        return default_camera(width, height, self._field_of_view)

    def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _listen(self) -> None:
        if self._subscription is None:
            best_effort = latest_only(ReliabilityPolicy.BEST_EFFORT)
            self._subscription = self._node.create_subscription(CameraInfo, self.topic, self._hear, best_effort)

    def _hear(self, message: CameraInfo) -> None:
        self._info = message
        is_calibration = calibrated_camera(message, 1, 1, self._rectified) is not None
        if is_calibration and has_shape(message, *self._size) and self._node.executor is not None:
            self._node.executor.create_task(self.close)  # not under its own feet

    def _say(self, warning: str, otherwise: str = "") -> None:
        """Say what became of the calibration, when that is another than before."""
        if (warning or otherwise) == self._said:
            return
        self._said = warning or otherwise
        if warning:
            self._log.warning(warning)
        else:
            self._log.info(otherwise)

    def _is_rectified(self) -> bool:
        """Whether the image is what image_proc makes: its topics begin so."""
        return self._node.resolve_topic_name("image").rsplit("/", 2)[-1].startswith("image_rect")


def camera_info_topic(node: Node) -> str:
    """Return where the calibration of the topic `image` is: beside it, or where `camera_info` is remapped to."""
    remapped = node.resolve_topic_name("camera_info")
    if remapped != node.resolve_topic_name("camera_info", only_expand=True):
        return str(remapped)
    image = node.resolve_topic_name("image").removesuffix("/compressed")
    return f"{image.rpartition('/')[0]}/camera_info"


def has_shape(info: CameraInfo, width: int, height: int) -> bool:
    """Return whether an image of this size can be the calibrated one, or the part of it (roi), made smaller.

    What was binned by other numbers across and down has the shape that this leaves.
    """
    x, y = _part(info)
    x, y = x * max(info.binning_y, 1), y * max(info.binning_x, 1)
    return math.isclose(x * height, y * width, rel_tol=_SHAPE_TOLERANCE)


def calibrated_camera(info: CameraInfo, width: int, height: int, rectified: bool = False) -> Camera | None:
    """Return the camera of an image of this size; None where the message holds no calibration.

    The image may be smaller than the calibrated one, or a part of it (roi). rectified: the lens is taken out of it.
    """
    matrix = np.array(info.p).reshape(3, 4)[:, :3] if rectified else np.array(info.k).reshape(3, 3)
    part = _part(info)
    if not (np.isfinite(matrix).all() and matrix[0, 0] > 0 and matrix[1, 1] > 0 and min(part) > 0):
        return None
    to_part = np.array([(1, 0, -float(info.roi.x_offset)), (0, 1, -float(info.roi.y_offset)), (0, 0, 1.0)])
    # Pixel centres lie at whole coordinates.
    x, y = width / part[0], height / part[1]
    to_image = np.array([(x, 0, (x - 1) / 2), (0, y, (y - 1) / 2), (0, 0, 1)])
    return Camera(to_image @ to_part @ matrix, *((), False) if rectified else _distortion(info))


def _part(info: CameraInfo) -> tuple[int, int]:
    """Return the width and height of what the image shows, in pixels of the calibrated one."""
    return (info.roi.width, info.roi.height) if info.roi.width and info.roi.height else (info.width, info.height)


def _distortion(info: CameraInfo) -> tuple[tuple[float, ...], bool]:
    """Return the coefficients of the lens, and whether they are those of a fisheye; none of a model not known here."""
    coefficients = tuple(float(value) for value in info.d)
    if not all(map(math.isfinite, coefficients)):
        return (), False
    if info.distortion_model == _FISHEYE_MODEL and len(coefficients) == 4:
        return coefficients, True
    return (coefficients if len(coefficients) in _OPENCV_MODELS.get(info.distortion_model, ()) else ()), False
