"""The one face that encoders are timed with: what they multiply may matter for how long they take."""

from __future__ import annotations

import numpy as np

from dfer_ros.core.alignment import align_face
from dfer_ros.core.faces import Image
from dfer_ros.recordings.demo_clip import load_portrait

_LANDMARKS = ((204, 107), (246, 107), (226, 128), (226, 149))


def portrait_crop() -> Image:
    """Return the aligned crop [128, 128, 3] uint8 BGR of the portrait."""
    return align_face(load_portrait(), np.array(_LANDMARKS, dtype=np.float32))
