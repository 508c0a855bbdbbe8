"""Streaming, one new frame through the encoder, against clip-wise, the whole window through it for every answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.latency import BLOCKS, median_milliseconds
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.recordings.demo_clip import portrait_crop

PERSONS = (1, 4)
_FRAME_RATE = 30.0
_RUNS = 5


@dataclass(frozen=True)
class StreamingResult:
    """Median time of one answer for so many persons. times: ms over that of streaming.

    encoded: crops that pass the encoder for one answer. cpu_percent: of one core at 30 answers a second.
    """

    way: str
    precision: str
    persons: int
    encoded: int
    ms: float
    times: float
    cpu_percent: float


def measure_streaming(model: str, console: Console, blocks: Sequence[int] = BLOCKS) -> list[StreamingResult]:
    """Return the cost of both ways with the same model at its fastest precision, head included, in turn, one thread."""
    loaded = EmotionModel(EmotionModelConfig(model))
    frames = loaded.folder.description.window_frames
    results = []
    for persons in PERSONS:
        crops = {"streaming": 1, "clip-wise": frames}
        calls = {way: _answer(loaded, persons, new) for way, new in crops.items()}
        shown = track(blocks, description=f"{persons} persons", console=console, transient=True)
        medians = median_milliseconds(calls, shown, _RUNS)
        for way, ms in medians.items():
            results.append(
                StreamingResult(
                    way,
                    loaded.encoder.precision,
                    persons,
                    persons * crops[way],
                    ms,
                    ms / medians["streaming"],
                    ms * _FRAME_RATE / 10.0,
                )
            )
    return results


def _answer(model: EmotionModel, persons: int, new_frames: int) -> Callable[[], object]:
    """Return a function that encodes so many frames of every person into a full window, and asks the head once."""
    description = model.folder.description
    config = WindowConfig(description.window_seconds, description.window_frames)
    windows = [FrameWindow(config, model.encoder.embedding_size) for _ in range(persons)]
    spacing = config.seconds / config.frames
    embedding = np.zeros(model.encoder.embedding_size, dtype=np.float32)
    for window in windows:
        for frame in range(config.frames):
            window.add(frame * spacing, embedding, 1.0)
    stamp = [config.seconds]
    crops = [portrait_crop()] * (persons * new_frames)

    def answer() -> object:
        embeddings = model.encoder.encode(crops)
        for window, rows in zip(windows, np.split(embeddings, persons)):
            for row in rows:
                stamp[0] += spacing
                window.add(stamp[0], row, 1.0)
        return model.head.answer(windows)

    return answer
