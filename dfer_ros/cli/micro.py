"""`dfer micro`: the micro-expressions in a video, as a table and as JSON lines."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from dfer_ros.cli.argument_types import positive_number
from dfer_ros.cli.recognition_options import add_detector_options, add_model_option
from dfer_ros.cli.terminal import count_shown, say, show_table, warn
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.core.errors import SourceError
from dfer_ros.core.installed_files import at_home
from dfer_ros.recordings.frame_source import INCOMPLETE_CODE, FrameSource
from dfer_ros.recordings.micro_expressions import (
    GOOD_RATE,
    SLOWEST_RATE,
    MicroConfig,
    MicroExpression,
    MicroSpotter,
)
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer, nothing_read, open_recording
from dfer_ros.text.tables import Table, table_of
from dfer_ros.text.wording import plural

_Found = tuple[str, MicroExpression]
"""A person's id, and what was found on their face."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer micro`."""
    parser.add_argument("video", help=f"video of at least {SLOWEST_RATE:g} frames a second, better {GOOD_RATE:g}")
    parser.add_argument("-o", "--output", type=Path, help="JSONL file: one object per micro-expression")
    parser.add_argument(
        "--camera-rate",
        type=positive_number,
        help="frames a second at which the camera took it, where the file plays it slower (as the file says)",
    )
    parser.add_argument(
        "--threshold",
        type=positive_number,
        default=MicroConfig.threshold,
        help="how far a movement must rise above what is usual for the face; less finds and invents more (%(default)s)",
    )
    add_model_option(parser)
    add_detector_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Find the micro-expressions of everybody in a video; the file appears whole or not at all."""
    check_outputs([at_home(Path(arguments.video))], [arguments.output])
    config = AnalysisConfig(model=arguments.model, detector=arguments.detector, yunet_model=arguments.yunet_model)
    source = open_recording(arguments.video, config)
    rate = _checked_rate(arguments.video, source, arguments.camera_rate)
    spotting = MicroConfig(threshold=arguments.threshold)
    with contextlib.ExitStack() as files:
        lines = None if arguments.output is None else files.enter_context(whole_file(arguments.output))
        slower = rate / source.fps if arguments.camera_rate else 1.0
        found = sorted(
            _find_micro_expressions(arguments.video, source, RecordingAnalyzer(config), spotting, slower),
            key=lambda one: one[1].onset,
        )
        if lines:
            lines.writelines(_line(*one) for one in found)
    if found:
        show_table(_table(found))
    if rate < GOOD_RATE:
        warn(f"At {rate:.3g} frames a second the shortest micro-expressions are missed: {GOOD_RATE:g} are better.")
    warn(*source.remarks, *([f"{arguments.video}: {source.shortfall}"] if source.shortfall else []))
    say(plural(len(found), "micro-expression") + (f" -> {arguments.output}" if arguments.output else ""))
    return INCOMPLETE_CODE if source.shortfall else 0


def _checked_rate(name: str, source: FrameSource, camera_rate: float | None) -> float:
    """Return the frames a second of a video. Raises SourceError where they are too few."""
    rate = camera_rate or source.fps
    if rate < SLOWEST_RATE:
        raise SourceError(
            f"{name} has {rate:.3g} frames a second, too few for micro-expressions, which last 0.04 to 0.5 s: record "
            f"at {GOOD_RATE:g} or more, at least at {SLOWEST_RATE:g}."
        )
    return rate


def _find_micro_expressions(
    name: str, source: FrameSource, analyzer: RecordingAnalyzer, config: MicroConfig, slower: float
) -> Iterator[_Found]:
    """Yield what is found on every face; slower: how many times slower than it was a video plays."""
    pipeline, recognizer = analyzer.create_stages()
    people: dict[str, MicroSpotter] = {}
    first_seen: dict[str, float] = {}
    longest_seen = 0.0
    frames = 0
    with count_shown("looking", source.frame_count or None) as show:
        for frame in source.frames():
            frames += 1
            stamp = frame.stamp / slower
            faces = pipeline.process(frame.image, stamp)
            # Without what it remembers, it answers for this frame alone.
            recognizer.reset()
            for face, emotion in zip(faces, recognizer.update(stamp, [face.seen for face in faces])):
                spotter = people.setdefault(face.id, MicroSpotter(config))
                longest_seen = max(longest_seen, stamp - first_seen.setdefault(face.id, stamp))
                for one in spotter.add(stamp, face.aligned, emotion.probabilities):
                    yield face.id, one
            show(frames)
    if not frames:
        raise nothing_read(name, source)
    if not people:
        raise SourceError(f"There is no face in {name}: somebody must be seen in it, from the front and for a while.")
    if longest_seen < config.longest:
        raise SourceError(
            f"Nobody is seen for longer than {longest_seen:.2g} s in {name}: a micro-expression may last "
            f"{config.longest:g} s, so that none can be told in less."
        )
    yield from ((face_id, one) for face_id, spotter in people.items() for one in spotter.finish())


def _line(face_id: str, one: MicroExpression) -> str:
    fields = {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(one).items()}
    return json.dumps({"face_id": face_id, **fields}) + "\n"


def _table(found: list[_Found]) -> Table:
    rows = [
        (
            face_id,
            one.expression,
            f"{one.onset:.3f}",
            f"{one.apex:.3f}",
            f"{one.offset:.3f}",
            f"{one.offset - one.onset:.2f}",
            f"{one.strength:.1f}",
            f"{one.rise:.2f}",
        )
        for face_id, one in found
    ]
    headings = ("face", "expression", "onset, s", "apex, s", "offset, s", "seconds", "strength", "rise")
    return table_of(headings, rows, words=2)
