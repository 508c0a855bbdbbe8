"""The encoder's speed by precision and batch, block by block in turn, so that ratios hold on a noisy machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnxruntime
from rich.console import Console
from rich.progress import track

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.latency import BLOCKS, median_milliseconds
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import encoder_file, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.recordings.demo_clip import portrait_crop

BATCHES = (1, 4, 8, 30)


@dataclass(frozen=True)
class EncoderResult:
    """Median time of a batch in milliseconds; speed_up: FP32's time over this one's, in the same run."""

    precision: str
    batch: int
    batch_ms: float
    speed_up: float


def measure_encoders(model: str, console: Console) -> list[EncoderResult]:
    """Return the times of every precision of a model at every batch size, one thread, network only."""
    folder = open_model_folder(model)
    sessions = {p: create_session(folder.verified(encoder_file(p)), SessionConfig()) for p in folder.precisions}
    crop = portrait_crop()
    results = []
    for batch in BATCHES:
        image = preprocess([crop] * batch, folder.description)
        runs = {precision: _runner(session, image) for precision, session in sessions.items()}
        blocks = track(BLOCKS, description=f"batch {batch}", console=console, transient=True)
        medians = median_milliseconds(runs, blocks)
        fp32 = medians.get("fp32", float("nan"))
        results += [EncoderResult(precision, batch, ms, fp32 / ms) for precision, ms in medians.items()]
    return results


def _runner(session: onnxruntime.InferenceSession, image: FloatArray) -> Callable[[], object]:
    return lambda: session.run(["embedding"], {"image": image})
