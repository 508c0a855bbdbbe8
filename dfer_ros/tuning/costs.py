"""What a frame costs beside the encoder: detection on the demo clip, and the temporal head on full windows."""

from __future__ import annotations

from itertools import islice

import numpy as np

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.latency import median_seconds
from dfer_ros.core.model.folder import ModelFolder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.recordings.demo_clip import FPS, demo_frames

_FRAMES = 90
_HEAD_RUNS = 100


def detection_ms(config: DetectorConfig) -> float:
    """Return the median milliseconds of detecting, tracking and aligning one face in the demo clip, 640x480."""
    pipeline = FacePipeline(create_detector(config), TrackerConfig())
    frames = [(index / FPS, image) for index, image in enumerate(islice(demo_frames(), _FRAMES))]
    turns = iter(frames)

    def process_next() -> None:
        stamp, image = next(turns)
        pipeline.process(image, stamp)

    return 1e3 * median_seconds(process_next, _FRAMES)


def head_ms(folder: ModelFolder, embedding_size: int, session: SessionConfig, faces: int) -> float:
    """Return the median milliseconds of the temporal head for so many persons with full windows."""
    head = TemporalHead(folder, embedding_size, session)
    description = folder.description
    config = WindowConfig(description.window_seconds, description.window_frames)
    chance = np.random.default_rng(0)
    window = FrameWindow(config, embedding_size)
    for index in range(config.frames):
        window.add(index * config.seconds / config.frames, chance.random(embedding_size, dtype=np.float32), 1.0)
    return 1e3 * median_seconds(lambda: head.answer([window] * faces), _HEAD_RUNS)
