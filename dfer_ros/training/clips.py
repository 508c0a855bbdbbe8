"""Labelled clips through the core pipeline: what the robot would have answered, frame by frame."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from dfer_ros.core.analysis import analyze
from dfer_ros.core.detection import FaceDetector
from dfer_ros.core.emotion import Emotion
from dfer_ros.core.errors import SourceError
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.video import open_source

EVERY_FRAME = 1000.0
"""A frame rate in Hz above that of any clip."""


@dataclass(frozen=True)
class LabelledClip:
    """A clip on disk. label: index into LABELS."""

    path: Path
    label: int
    source: str
    fps: float

    @property
    def sequence(self) -> bool:
        """Whether the clip runs from neutral to the apex, as those of CK+ do."""
        return self.source == "ckplus"


@dataclass(frozen=True)
class ClipAnswer:
    """What was answered on a clip for the person seen longest.

    probabilities: [F, 7], one row for every frame in which that person was seen; F may be 0.
    """

    clip: LabelledClip
    probabilities: FloatArray

    @property
    def predicted(self) -> int:
        """The answer on the clip: of the mean probabilities, or at the end of a sequence; -1 without a face."""
        if len(self.probabilities) == 0:
            return -1
        row = self.probabilities[-1] if self.clip.sequence else self.probabilities.mean(axis=0)
        return int(row.argmax())


def dynamic_clips(data: Path) -> Iterator[LabelledClip]:
    """Yield the clips of dynamic_clips.zip, unpacked to a folder that is gone when the iteration ends."""
    path = data / "dynamic_clips.zip"
    if not path.is_file():
        raise SourceError(f"The pack {path} is missing: give the folder that holds the data packs with --data.")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as pack:
        pack.extractall(folder)
        for row in csv.DictReader(io.StringIO(pack.read("manifest.csv").decode())):
            yield LabelledClip(Path(folder) / row["path"], LABELS.index(row["label"]), row["source"], float(row["fps"]))


def answer_clips(data: Path, detector: FaceDetector, recognizer: Recognizer) -> list[ClipAnswer]:
    """Return the answers on every clip of dynamic_clips.zip, each clip with fresh tracks and windows."""
    answers = []
    for clip in track(dynamic_clips(data), description="clips", total=None):
        recognizer.reset()
        answers.append(_answer_clip(clip, detector, recognizer))
    return answers


def _answer_clip(clip: LabelledClip, detector: FaceDetector, recognizer: Recognizer) -> ClipAnswer:
    source = open_source(str(clip.path), clip.fps)
    pipeline = FacePipeline(detector, TrackerConfig())
    emotions: list[Emotion] = []
    for analyzed in analyze(source, pipeline, recognizer, EVERY_FRAME):
        emotions += analyzed.emotions
    seen = Counter(emotion.face_id for emotion in emotions)
    longest = seen.most_common(1)[0][0] if seen else ""
    rows = [emotion.probabilities for emotion in emotions if emotion.face_id == longest]
    return ClipAnswer(clip, np.array(rows, dtype=np.float32).reshape(-1, len(LABELS)))


def frame_rows(answers: list[ClipAnswer]) -> tuple[FloatArray, npt.NDArray[np.int64], FloatArray]:
    """Return the probabilities [N, 7], labels [N] and weights [N] of all frames; every clip weighs the same."""
    answers = [answer for answer in answers if len(answer.probabilities)]
    probabilities = np.concatenate([answer.probabilities for answer in answers])
    lengths = [len(answer.probabilities) for answer in answers]
    labels = np.repeat([answer.clip.label for answer in answers], lengths)
    weights = np.repeat([1.0 / length for length in lengths], lengths).astype(np.float32)
    return probabilities, labels, weights
