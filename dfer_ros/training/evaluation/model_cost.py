"""What a model costs a robot: multiply-adds by frame and second, parameters, file sizes, and times on this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from rich.console import Console
from rich.progress import track

from dfer_ros.core.latency import BLOCKS, median_milliseconds
from dfer_ros.core.model.folder import HEAD_FILE, ModelFolder, encoder_file
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.training.evaluation.cost import NetworkCost, network_cost
from dfer_ros.training.experiments.peers import Peer

BATCHES = (1, 4)


@dataclass(frozen=True)
class ModelCost:
    """Networks by name: the encoder by precision, the head over a full window of one person, and peers.

    networks: of one face and frame. milliseconds: median times by network and batch; the head has one batch of 1.
    frame_rate: Hz. multiply_adds_per_second: of the encoder and the head for one face at that rate.
    """

    input_size: int
    window_frames: int
    networks: dict[str, NetworkCost]
    milliseconds: dict[str, dict[int, float]]
    frame_rate: float
    multiply_adds_per_second: float


def measure_cost(
    folder: ModelFolder,
    precisions: Sequence[str],
    embedding_size: int,
    peers: Sequence[Peer],
    frame_rate: float,
    console: Console,
) -> ModelCost:
    """Count and time the networks of a model and peers, in one thread; the times are taken in turn."""
    description = folder.description
    side, frames = description.input_size, description.window_frames
    window = {"embeddings": (1, frames, embedding_size), "ages": (1, frames), "mask": (1, frames)}
    networks = {
        precision: network_cost(folder.path / encoder_file(precision), {"image": (1, 3, side, side)})
        for precision in precisions
    }
    networks["head"] = network_cost(folder.path / HEAD_FILE, window)
    networks |= {peer.name: peer.cost for peer in peers}

    sessions = {p: create_session(folder.verified(encoder_file(p)), SessionConfig()) for p in precisions}
    head = create_session(folder.verified(HEAD_FILE), SessionConfig())
    milliseconds: dict[str, dict[int, float]] = {name: {} for name in networks}
    for batch in BATCHES:
        # Noise, not zeros: what multiplies by zero may be faster.
        image = {"image": np.random.default_rng(0).standard_normal((batch, 3, side, side), dtype=np.float32)}
        candidates = {name: _runner(session, "embedding", image) for name, session in sessions.items()}
        if batch == 1:
            inputs = {name: np.ones(shape, dtype=np.float32) for name, shape in window.items()}
            candidates["head"] = _runner(head, "logits", inputs)
            candidates |= {peer.name: peer.network_runner() for peer in peers}
        blocks = track(BLOCKS, description=f"time, batch {batch}", console=console, transient=True)
        for name, time in median_milliseconds(candidates, blocks).items():
            milliseconds[name][batch] = time
    per_frame = networks[precisions[0]].multiply_adds + networks["head"].multiply_adds
    return ModelCost(side, frames, networks, milliseconds, frame_rate, per_frame * frame_rate)


def _runner(
    session: onnxruntime.InferenceSession,
    output: str,
    inputs: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
) -> Callable[[], object]:
    return lambda: session.run([output], inputs)
