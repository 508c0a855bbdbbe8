"""What each process of `dfer analyze` does, here or on another machine: it turns recordings into JSONL files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from dfer_ros.core.atomic_file import whole_file
from dfer_ros.core.errors import DferError, ModelError
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.recordings.analysis_receipt import Receipt, receipt_path, receipt_text
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer, nothing_read, open_recording


@dataclass(frozen=True)
class RecordingTask:
    """A recording to analyze.

    source_identity: see analysis_receipt. analysis: the RecordingAnalyzer.identity that a worker must have as well.
    """

    source: Path
    output: Path
    source_identity: dict[str, Any]
    config: AnalysisConfig
    analysis: dict[str, Any]


@dataclass(frozen=True)
class RecordingResult:
    """What became of a task. receipt: None where it failed. problem: the sentence that says why."""

    task: RecordingTask
    receipt: Receipt | None = None
    problem: str = ""


def analyze_recording(task: RecordingTask) -> RecordingResult:
    """Analyze a recording in one thread; the output and then its receipt appear whole or not at all. Never raises."""
    try:
        return RecordingResult(task, _analyze(task))
    except DferError as error:
        return RecordingResult(task, problem=str(error))
    except Exception as error:  # whatever one recording brings about, the others go on
        return RecordingResult(task, problem=f"{task.source} cannot be analyzed ({type(error).__name__}: {error}).")


def _analyze(task: RecordingTask) -> Receipt:
    analyzer = _analyzer(task.config)
    if analyzer.identity != task.analysis:
        raise ModelError("A worker has another model or another version of dfer_ros: install the same everywhere.")
    # Nothing older may pass for the answer if this does not end well.
    receipt_path(task.output).unlink(missing_ok=True)
    task.output.unlink(missing_ok=True)
    frames = faces = 0
    first = last = 0.0
    source = open_recording(str(task.source), task.config, threads=1)
    analysis = analyzer.analyze(source)
    with whole_file(task.output) as lines:
        for analyzed in analysis:
            last = analyzed.frame.stamp
            first = last if frames == 0 else min(first, last)
            frames += 1
            faces += len(analyzed.faces)
            lines.writelines(analyzed.lines())
        if not frames:
            raise nothing_read(str(task.source), source)
    receipt = Receipt(
        source=task.source_identity,
        analysis=task.analysis,
        sha256=file_sha256(task.output),
        frames=frames,
        faces=faces,
        seconds=round(last - first, 6),
        read=source.shortfall.read if source.shortfall else 0,
        expected=source.shortfall.expected if source.shortfall else 0,
        unreadable=len(source.unreadable),
        late=analysis.order.late,
        repeated=analysis.order.repeated,
        jumps=analysis.order.jumps,
        remarks=source.remarks,
    )
    with whole_file(receipt_path(task.output)) as file:
        file.write(receipt_text(receipt))
    return receipt


@cache
def _analyzer(config: AnalysisConfig) -> RecordingAnalyzer:
    """Return the models of this process, loaded at its first recording, and keep it to one thread."""
    # What FFmpeg says about each frame would run through the progress bar.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.setNumThreads(1)
    return RecordingAnalyzer(config)
