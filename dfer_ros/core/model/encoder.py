"""The frame encoder: aligned crops in, embeddings out, each crop once."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import ModelError, first_line
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.latency import median_seconds
from dfer_ros.core.model.execution_providers import fallback_warning
from dfer_ros.core.model.folder import PRECISIONS, ModelDescription, ModelFolder, encoder_file
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

AUTO = "auto"
_TIMED_RUNS = 15


def preprocess(crops: Sequence[Image], description: ModelDescription) -> FloatArray:
    """Return the encoder's input [N, 3, S, S] float32 RGB for aligned crops [128, 128, 3] uint8 BGR."""
    edge = (ALIGNED_SIZE - description.crop) // 2
    size = (description.input_size, description.input_size)
    mean = [255.0 * value for value in description.mean]
    parts = [crop[edge : edge + description.crop, edge : edge + description.crop] for crop in crops]
    batch: FloatArray = cv2.dnn.blobFromImages(parts, 1.0, size, mean, swapRB=True)
    batch *= (1.0 / (255.0 * np.array(description.std, dtype=np.float32)))[:, None, None]
    return batch


class FrameEncoder:
    """Runs one encoder of a model folder.

    precision: the precision in use. sha256: hex digest of its file.
    providers: those of ONNX Runtime in use, the first one first. warning: a sentence on those that were passed over.
    runs, crops: how many times it ran and how many crops it saw.
    Raises ModelError where the file is missing, damaged or cannot be loaded.
    """

    def __init__(self, folder: ModelFolder, precision: str, session_config: SessionConfig) -> None:
        self.precision = precision
        self.runs = 0
        self.crops = 0
        self._description = folder.description
        self._session = create_session(folder.verified(encoder_file(precision)), session_config)
        self.sha256 = folder.description.sha256[encoder_file(precision)]
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        self.warning = fallback_warning(session_config.providers, self.providers)
        self.embedding_size = self._try_out()

    def encode(self, crops: Sequence[Image]) -> FloatArray:
        """Return the embeddings [N, D] float32 of aligned crops [128, 128, 3] uint8 BGR, N >= 1, in one run."""
        batch = preprocess(crops, self._description)
        self.runs += 1
        self.crops += len(crops)
        embeddings: FloatArray = self._session.run(["embedding"], {"image": batch})[0]
        return embeddings

    def _try_out(self) -> int:
        """Run once, so that the first frame is as fast as the others, and return the size of the embedding."""
        size = self._description.input_size
        try:
            embedding = self._session.run(["embedding"], {"image": np.zeros((1, 3, size, size), dtype=np.float32)})[0]
            _, embedding_size = embedding.shape
            return int(embedding_size)
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            raise ModelError(
                f"The {self.precision} encoder does not follow the contract, image [N, 3, {size}, {size}] to embedding "
                f"[N, D]: {first_line(error)}"
            ) from error


def create_encoder(folder: ModelFolder, precision: str, session_config: SessionConfig) -> FrameEncoder:
    """Return the encoder of a precision; `auto` measures those in the folder and takes the fastest.

    Raises ModelError for a precision that is not known or not in the folder.
    """
    if precision != AUTO:
        if precision not in PRECISIONS:
            raise ModelError(f"Precision '{precision}' is not known: use one of {', '.join((AUTO, *PRECISIONS))}.")
        return FrameEncoder(folder, precision, session_config)
    if not folder.precisions:
        raise ModelError(f"There is no encoder in {folder.path}: expected one of encoder_*.onnx.")
    # One after the other, each gone before the next: together they would leave their memory behind.
    times = {name: seconds_per_crop(FrameEncoder(folder, name, session_config)) for name in folder.precisions}
    return FrameEncoder(folder, min(times, key=times.__getitem__), session_config)


def seconds_per_crop(encoder: FrameEncoder) -> float:
    """Return the median time in seconds of one crop."""
    crop = np.zeros((ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)
    return median_seconds(lambda: encoder.encode([crop]), _TIMED_RUNS)
