"""The face images of ROS4HRI (REP-155): ours as it wants them, and those of others brought to our template."""

from __future__ import annotations

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE, align_face
from dfer_ros.core.faces import FloatArray, Image, box_within

ALIGNMENTS: dict[str, FloatArray] = {
    "hri_face_detect": np.array([(0.33, 0.38), (0.67, 0.38), (0.50, 0.577), (0.50, 0.734)], dtype=np.float32),
    "dfer": TEMPLATE,
}
"""By who aligned: the landmarks of TEMPLATE [4, 2] in its image, in fractions of the height, the middle at a half.

hri_face_detect 2 turns the eyes level and fits the box of its detector into the image. The numbers are means over 57
clips of six sources; single eyes scatter around them by 0.02 to 0.04, without any one source they move by under 0.01.
"""

DEFAULT_ALIGNMENT = "hri_face_detect"
"""The detector that ROS4HRI robots run."""


def cropped_face(image: Image, box: FloatArray) -> Image:
    """Return the part of an image [H, W, 3] in a box [4], x, y, width, height, as `cropped` of REP-155.

    [128, 128, 3]: what of the box lies in the image, scaled with its proportions kept, in the middle, black beside it.
    """
    height, width = image.shape[:2]
    left, top, box_width, box_height = box_within(box, width, height)
    crop = np.zeros((ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)
    if box_width == 0 or box_height == 0:
        return crop
    scale = ALIGNED_SIZE / max(box_width, box_height)
    size = max(round(box_width * scale), 1), max(round(box_height * scale), 1)
    part = image[top : top + box_height, left : left + box_width]
    scaled = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (ALIGNED_SIZE - size[0]) // 2, (ALIGNED_SIZE - size[1]) // 2
    crop[y : y + size[1], x : x + size[0]] = scaled
    return crop


def realigned_face(aligned: Image, template: FloatArray) -> Image:
    """Return an aligned face [H, W, 3] of any size and template (see ALIGNMENTS) as ours, [128, 128, 3]."""
    height, width = aligned.shape[:2]
    if template is TEMPLATE and height == width == ALIGNED_SIZE:
        return aligned
    # Pixel centres lie at half coordinates.
    from_middle = (template * ALIGNED_SIZE + 0.5) / ALIGNED_SIZE - 0.5
    middle = np.array((width, height), dtype=np.float32) / 2 - 0.5
    return align_face(aligned, middle + from_middle * height)
