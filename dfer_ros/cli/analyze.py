"""`dfer analyze`: a recording through the same core as the live graph, into a JSONL file and, on request, a video."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dfer_ros.cli.outputs import VideoOutput, whole_file
from dfer_ros.core.analysis import AnalyzedFrame, analyze
from dfer_ros.core.bag import BagImages, is_bag
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.detection.detector import DETECTORS
from dfer_ros.core.drawing import Annotation, draw_annotations
from dfer_ros.core.emotion import Emotion
from dfer_ros.core.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.encoder import AUTO
from dfer_ros.core.errors import SourceError
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Face, Image, box_within
from dfer_ros.core.model_folder import PRECISIONS
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.records import emotion_record, record_line
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.video import DEFAULT_FPS, FrameSource, open_source


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer analyze`."""
    parser.add_argument("source", help="video file, folder of images, or rosbag2 folder")
    parser.add_argument("--output", type=Path, required=True, help="JSONL file: one object per face and frame")
    parser.add_argument("--video", type=Path, help="annotated video (.mp4) to write as well")
    parser.add_argument("--fps", type=float, default=DEFAULT_FPS, help="frames per second of a folder (%(default)s)")
    parser.add_argument("--topic", default="", help="image topic of a bag; not needed where there is only one")
    parser.add_argument(
        "--frame-rate", type=float, default=DEFAULT_FPS, help="most frames per second processed (%(default)s)"
    )
    parser.add_argument("--model", default=EmotionModelConfig.model, help="model name or folder (%(default)s)")
    parser.add_argument(
        "--precision", default="int8", choices=(AUTO, *PRECISIONS), help="encoder precision (%(default)s)"
    )
    parser.add_argument("--detector", default=DetectorConfig.detector, choices=DETECTORS, help="(%(default)s)")
    parser.add_argument("--yunet-model", default=DetectorConfig.yunet_model, help="YuNet's ONNX file")


def run(arguments: argparse.Namespace) -> int:
    """Analyze a recording; both files appear whole or not at all."""
    if arguments.fps <= 0 or arguments.frame_rate <= 0:
        raise SourceError("--fps and --frame-rate must be above 0.")
    source = _open(arguments.source, arguments.fps, arguments.topic)
    pipeline = FacePipeline(
        create_detector(DetectorConfig(arguments.detector, yunet_model=arguments.yunet_model)), TrackerConfig()
    )
    recognizer = Recognizer(EmotionModel(EmotionModelConfig(arguments.model, arguments.precision)))
    frames = faces = 0
    with whole_file(arguments.output) as lines, VideoOutput(arguments.video, source.fps) as video:
        for analyzed in _with_progress(analyze(source, pipeline, recognizer, arguments.frame_rate), source.frame_count):
            frames += 1
            faces += len(analyzed.faces)
            _write_lines(lines, analyzed)
            if arguments.video is not None:
                video.write_at(_annotated(analyzed), analyzed.frame.stamp)
    if source.unreadable:
        Console(stderr=True, soft_wrap=True).print(
            f"{len(source.unreadable)} images could not be read and were left out. The first: {source.unreadable[0]}",
            style="yellow",
            highlight=False,
            markup=False,
        )
    Console().print(f"{frames} frames, {faces} faces -> {arguments.output}", highlight=False)
    return 0


def _open(source: str, fps: float, topic: str) -> FrameSource:
    path = Path(source).expanduser()
    if is_bag(path):
        return BagImages(path, topic)
    if source.isdecimal():
        raise SourceError("`dfer analyze` reads recordings; for a camera use `dfer run --source`.")
    return open_source(source, fps)


def _with_progress(frames: Iterator[AnalyzedFrame], count: int) -> Iterator[AnalyzedFrame]:
    columns = (TextColumn("analyzing"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("frames", total=count or None)
        for analyzed in frames:
            progress.update(task, completed=analyzed.frame.index + 1)
            yield analyzed


def _write_lines(lines: TextIO, analyzed: AnalyzedFrame) -> None:
    for face, emotion in zip(analyzed.faces, analyzed.emotions):
        record = emotion_record(analyzed.frame.stamp, analyzed.frame.index, _roi(face, analyzed.frame.image), emotion)
        lines.write(record_line(record))


def _annotated(analyzed: AnalyzedFrame) -> Image:
    annotations = [
        _annotation(face, emotion, analyzed.frame.image) for face, emotion in zip(analyzed.faces, analyzed.emotions)
    ]
    return draw_annotations(analyzed.frame.image, annotations)


def _annotation(face: Face, emotion: Emotion, image: Image) -> Annotation:
    return Annotation(
        face.id, _roi(face, image), emotion.expression, emotion.confidence, emotion.probabilities.tolist()
    )


def _roi(face: Face, image: Image) -> tuple[int, int, int, int]:
    return box_within(face.detection.box, image.shape[1], image.shape[0])
