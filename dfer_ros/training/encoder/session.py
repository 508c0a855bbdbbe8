"""A frame encoder in ONNX with both of its outputs: what training and evaluation need and the robot does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from dfer_ros.core.errors import ModelError, first_line
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import ModelDescription
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

_BATCH = 8
"""Larger ones are no faster on a CPU and hold much more memory at 128 pixels."""


@dataclass(frozen=True)
class EncoderOutputs:
    """embeddings: [N, D] float32. logits: [N, 7] float32 in the order of LABELS, not calibrated."""

    embeddings: FloatArray
    logits: FloatArray


class Encoder(Protocol):
    """What makes embeddings and logits of aligned crops [128, 128, 3] uint8 BGR: a file, or a network in training."""

    def run(self, crops: Sequence[Image]) -> EncoderOutputs:
        """Return the outputs of all crops."""
        ...


class EncoderSession:
    """Runs an encoder file of any place, a model folder's or one that was just exported.

    Raises ModelError where the file is missing, cannot be loaded or does not follow the contract.
    """

    def __init__(self, path: Path, description: ModelDescription, threads: int = 1) -> None:
        if not path.is_file():
            raise ModelError(f"There is no encoder {path}: give the path of an ONNX file.")
        self._path = path
        self._description = description
        self._order = [description.labels.index(label) for label in LABELS]
        self._session = create_session(path, SessionConfig(threads=threads))
        size = description.input_size
        self.embedding_size = self._run(np.zeros((1, 3, size, size), dtype=np.float32)).embeddings.shape[1]

    def run(self, crops: Sequence[Image], input_size: int | None = None) -> EncoderOutputs:
        """Return the outputs for aligned crops [128, 128, 3] uint8 BGR, batch by batch.

        input_size: side in pixels to which the crops are scaled; None takes the description's.
        """
        description = replace(self._description, input_size=input_size or self._description.input_size)
        parts = [
            self._run(preprocess(crops[start : start + _BATCH], description)) for start in range(0, len(crops), _BATCH)
        ]
        embeddings = [np.zeros((0, self.embedding_size), np.float32), *(part.embeddings for part in parts)]
        logits = [np.zeros((0, len(LABELS)), np.float32), *(part.logits for part in parts)]
        return EncoderOutputs(np.concatenate(embeddings), np.concatenate(logits))

    def _run(self, image: FloatArray) -> EncoderOutputs:
        try:
            embeddings, logits = self._session.run(["embedding", "logits"], {"image": image})
            if embeddings.ndim != 2 or logits.shape != (len(image), len(LABELS)):
                raise ValueError(f"it gives embedding {list(embeddings.shape)} and logits {list(logits.shape)}")
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            raise ModelError(
                f"{self._path} does not follow the contract, image {list(image.shape)} to embedding [N, D] and "
                f"logits [N, {len(LABELS)}]: {first_line(error)}"
            ) from error
        return EncoderOutputs(embeddings, logits[:, self._order])
