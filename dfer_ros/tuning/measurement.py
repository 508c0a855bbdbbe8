"""What `dfer tune` measures: the encoder at every input size, the cost of the rest of a frame, and the choice again."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
from rich.console import Console
from rich.progress import track

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import ModelError
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.latency import median_seconds
from dfer_ros.core.model.execution_providers import REMOTE_PROVIDER
from dfer_ros.core.model.folder import PRECISIONS, ModelFolder, encoder_file
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.recordings.demo_clip import FPS, demo_frames
from dfer_ros.tuning.budget import TRANSPORT_MS, FrameCost, encoder_budget_ms, transport_ms
from dfer_ros.tuning.choice import ResolutionOption
from dfer_ros.tuning.latency_curve import LatencyCurve
from dfer_ros.tuning.timing import EncoderVariant, open_variants, sizes_taken, spread, variant_times

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


@dataclass(frozen=True)
class Measurement:
    """curves: one for each variant, in their order."""

    variants: list[EncoderVariant]
    curves: list[LatencyCurve]

    def includes(self, option: ResolutionOption) -> bool:
        """Return whether the latency of an option was measured, and not only predicted from other sizes."""
        which = (option.precision, option.provider)
        return any((curve.precision, curve.provider) == which and option.size in curve.sizes for curve in self.curves)

    def with_latency(self, option: ResolutionOption, ms: float) -> Measurement:
        """Return the measurement with the latency of one more option in milliseconds."""
        which = (option.precision, option.provider)
        curves = [c.with_point(option.size, ms) if (c.precision, c.provider) == which else c for c in self.curves]
        return Measurement(self.variants, curves)


def measure(arguments: argparse.Namespace, folder: ModelFolder, console: Console) -> Measurement:
    """Return the latencies of every precision and provider at every resolution, all of them timed in turn."""
    providers = arguments.providers or [n for n in onnxruntime.get_available_providers() if n != REMOTE_PROVIDER]
    variants, warnings = open_variants(_encoder_files(arguments, folder), providers, arguments.threads)
    for warning in warnings:
        console.print(warning, style="yellow", highlight=False, soft_wrap=True)
    allowed = {v: sizes_taken(v.session, arguments.multiple, arguments.largest, arguments.faces) for v in variants}
    sizes = {variant: spread(taken, arguments.resolutions) for variant, taken in allowed.items()}
    rounds = track(range(arguments.rounds), description="encoder", console=console, transient=True)
    times = variant_times(sizes, folder.description, arguments.faces, rounds)
    return Measurement(
        variants,
        [LatencyCurve(v.precision, v.provider, tuple(sizes[v]), tuple(times[v]), tuple(allowed[v])) for v in variants],
    )


def _encoder_files(arguments: argparse.Namespace, folder: ModelFolder) -> dict[str, Path]:
    """Return the files to measure by precision, or the one given by its name."""
    if arguments.encoder:
        if not arguments.encoder.is_file():
            raise ModelError(f"There is no encoder file {arguments.encoder}: correct --encoder.")
        return {arguments.encoder.stem: arguments.encoder}
    precisions = list(dict.fromkeys(arguments.precision or folder.precisions))
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if unknown:
        raise ModelError(f"Precision '{unknown[0]}' is not known: use one of {', '.join(PRECISIONS)}.")
    if not precisions:
        raise ModelError(f"There is no encoder in {folder.path}: expected one of encoder_*.onnx.")
    return {precision: folder.verified(encoder_file(precision)) for precision in precisions}


def budget_of_frame_rate(
    arguments: argparse.Namespace, folder: ModelFolder, measured: Measurement, graph_ms: float | None, console: Console
) -> float:
    """Return what a frame at the asked rate leaves for the encoder, and print how that comes about."""
    from dfer_ros.tuning.measurement import detection_ms, head_ms

    detection, source = arguments.detection_ms, "as given"
    if detection is None:
        detection, source = detection_ms(DetectorConfig(yunet_model=arguments.yunet_model)), "on the demo clip"
    head = 0.0
    if not arguments.encoder:
        session = SessionConfig(threads=arguments.threads)
        head = head_ms(folder, measured.variants[0].embedding_size, session, arguments.faces)
    transport, origin = arguments.transport_ms, "as given"
    if graph_ms is not None:
        own = min(float(curve.monotone(folder.description.input_size)) for curve in measured.curves)
        transport, origin = (
            transport_ms(graph_ms, detection, own, head),
            f"the rest of {graph_ms:.3g} ms of {arguments.graph}",
        )
    elif transport is None:
        transport, origin = TRANSPORT_MS, "the default"
    budget = encoder_budget_ms(arguments.frame_rate, FrameCost(detection, transport, head))
    console.print(
        f"A frame at {arguments.frame_rate:g} Hz has {1e3 / arguments.frame_rate:.3g} ms: detection {detection:.2f} "
        f"({source}), transport {transport:.2f} ({origin}), head {head:.2f}; it leaves the encoder {budget:.2f} ms.",
        highlight=False,
        soft_wrap=True,
    )
    return budget


def measure_again(
    arguments: argparse.Namespace, folder: ModelFolder, measured: Measurement, option: ResolutionOption
) -> float:
    """Return the latency of one option in milliseconds, measured anew and alone."""
    variant = next(v for v in measured.variants if (v.precision, v.provider) == (option.precision, option.provider))
    times = variant_times({variant: [option.size]}, folder.description, arguments.faces, range(arguments.rounds))
    return times[variant][0]
