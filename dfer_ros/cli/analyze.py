"""`dfer analyze`: recordings through the same core as the live graph, into JSONL files and, of one, a video as well."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from dfer_ros.cli.analyze_many import analyze_many, configure_many
from dfer_ros.cli.recognition_options import add_detector_options, add_model_option
from dfer_ros.cli.terminal import count_shown, say, warn
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.drawing import Annotation, draw_annotations
from dfer_ros.core.emotion import Emotion
from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Face, Image
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.model.encoder import AUTO
from dfer_ros.core.model.folder import PRECISIONS
from dfer_ros.recordings.analysis import AnalyzedFrame
from dfer_ros.recordings.analysis_receipt import image_remarks
from dfer_ros.recordings.frame_source import INCOMPLETE_CODE
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer, nothing_read, open_recording
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.text.wording import plural

_AHEAD = 4
"""Frames that wait between reading, detection and recognition, which a second core then does beside each other."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer analyze`."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="video file, folder of images, or rosbag2 folder; several, folders of these and patterns in quotes with "
        "--output-folder",
    )
    outputs = parser.add_mutually_exclusive_group(required=True)
    outputs.add_argument("--output", type=Path, help="JSONL file: one object per face and frame")
    outputs.add_argument("--output-folder", type=Path, help="folder for the JSONL files of many recordings")
    parser.add_argument("--video", type=Path, help="annotated video (.mp4) to write as well")
    parser.add_argument(
        "--fps", type=float, default=AnalysisConfig.fps, help="frames per second of a folder (%(default)s)"
    )
    parser.add_argument("--topic", default="", help="image topic of a bag; not needed where there is only one")
    parser.add_argument(
        "--frame-rate",
        type=float,
        default=AnalysisConfig.frame_rate,
        help="most frames per second processed (%(default)s)",
    )
    add_model_option(parser)
    parser.add_argument(
        "--precision",
        default=AnalysisConfig.precision,
        choices=(AUTO, *PRECISIONS),
        help="encoder precision (%(default)s)",
    )
    add_detector_options(parser)
    parser.add_argument(
        "--head-pose", action="store_true", help="tell roll, pitch and yaw of every head as well: 3 ms a face"
    )
    parser.add_argument(
        "--field-of-view",
        type=float,
        default=AnalysisConfig.field_of_view,
        help="degrees that the camera sees across the longer side of its image, for --head-pose (%(default)s)",
    )
    configure_many(parser)


def run(arguments: argparse.Namespace) -> int:
    """Analyze a recording, or many; every file appears whole or not at all."""
    config = AnalysisConfig(
        fps=arguments.fps,
        topic=arguments.topic,
        frame_rate=arguments.frame_rate,
        model=arguments.model,
        precision=arguments.precision,
        detector=arguments.detector,
        yunet_model=arguments.yunet_model,
        head_pose=arguments.head_pose,
        field_of_view=arguments.field_of_view,
    )
    if arguments.output_folder is None:
        return _analyze_one(arguments, config)
    if arguments.video is not None:
        raise SourceError("--video goes with --output: it shows one recording.")
    return analyze_many(arguments.sources, arguments.output_folder, config, arguments.processes, arguments.ray)


def _analyze_one(arguments: argparse.Namespace, config: AnalysisConfig) -> int:
    if len(arguments.sources) > 1:
        raise SourceError("Several recordings need --output-folder instead of --output.")
    if arguments.processes or arguments.ray:
        raise SourceError("--processes and --ray go with --output-folder: one recording is not divided.")
    if arguments.output.is_dir():
        raise SourceError(f"{arguments.output} is a folder: name a file, or use --output-folder.")
    check_outputs([at_home(Path(arguments.sources[0]))], [arguments.output, arguments.video])
    source = open_recording(arguments.sources[0], config)
    analysis = RecordingAnalyzer(config).analyze(source, _AHEAD)
    frames = faces = 0
    with whole_file(arguments.output) as lines, VideoOutput(arguments.video, source.fps) as video:
        for analyzed in _with_progress(analysis, source.frame_count):
            frames += 1
            faces += len(analyzed.faces)
            lines.writelines(analyzed.lines())
            if arguments.video is not None:
                video.write_at(_annotated(analyzed), analyzed.frame.stamp)
        if not frames:
            raise nothing_read(arguments.sources[0], source)
    order = analysis.order
    remarks = [f"The first that cannot be read: {source.unreadable[0]}"] if source.unreadable else []
    remarks += source.remarks
    remarks += [f"{arguments.sources[0]}: {source.shortfall}"] if source.shortfall else []
    warn(*image_remarks(len(source.unreadable), order.late, order.repeated, order.jumps), *remarks)
    sentence = f"{plural(frames, 'frame')}, {plural(faces, 'face')} -> {arguments.output}"
    say(sentence)
    return INCOMPLETE_CODE if source.shortfall else 0


def _with_progress(frames: Iterable[AnalyzedFrame], count: int) -> Iterator[AnalyzedFrame]:
    with count_shown("analyzing", count or None) as show:
        for analyzed in frames:
            show(analyzed.frame.index + 1)
            yield analyzed


def _annotated(analyzed: AnalyzedFrame) -> Image:
    annotations = [
        _annotation(face, emotion, analyzed.roi(face)) for face, emotion in zip(analyzed.faces, analyzed.emotions)
    ]
    return draw_annotations(analyzed.frame.image, annotations)


def _annotation(face: Face, emotion: Emotion, roi: tuple[int, int, int, int]) -> Annotation:
    return Annotation(face.id, roi, emotion.expression, emotion.confidence, emotion.probabilities.tolist())
