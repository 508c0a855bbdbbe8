"""A peer: a network in ONNX that names expressions, with what it wants to see."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.training.encoder.augmentation import central_part
from dfer_ros.training.evaluation.cost import NetworkCost, network_cost


@dataclass(frozen=True)
class PeerDescription:
    """name: as users give it. title: as reports give it, with what tells it from others of its kind.

    origin: where the weights come from. labels: its classes in the order of its output.
    part: side in pixels of the central part of the aligned crop that it is shown. size: that of its input in pixels.
    """

    name: str
    title: str
    origin: str
    labels: tuple[str, ...]
    part: int
    size: int


class Peer:
    """Runs a peer's graph, `image` [N, C, S, S] -> `probabilities` [N, 7], in one thread.

    preprocess: from the part of the crop at the peer's size, BGR uint8, to its input [C, S, S] float32.
    """

    def __init__(
        self, description: PeerDescription, model: onnx.ModelProto, preprocess: Callable[[Image], FloatArray]
    ) -> None:
        self.description = description
        self.name = description.title
        self._preprocess = preprocess
        self._order = [description.labels.index(label) for label in LABELS]
        self.cost: NetworkCost
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{description.name}.onnx"
            onnx.save(model, path)
            self._session = create_session(path, SessionConfig())
            self.cost = network_cost(path, {"image": self._input([_blank()]).shape})

    def probabilities(self, crops: Sequence[Image]) -> FloatArray:
        """Return the probabilities [N, 7] in the order of LABELS for aligned crops [128, 128, 3] uint8 BGR."""
        if not crops:
            return np.zeros((0, len(LABELS)), dtype=np.float32)
        rows: FloatArray = self._session.run(["probabilities"], {"image": self._input(crops)})[0]
        return rows[:, self._order]

    def network_runner(self) -> Callable[[], object]:
        """Return a function that runs the network alone once on one crop, to be timed."""
        image = self._input([_blank()])
        return lambda: self._session.run(["probabilities"], {"image": image})

    def _input(self, crops: Sequence[Image]) -> FloatArray:
        part, size = self.description.part, self.description.size
        return np.stack([self._preprocess(central_part(crop, part, size)) for crop in crops])


def _blank() -> Image:
    return np.zeros((ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)
