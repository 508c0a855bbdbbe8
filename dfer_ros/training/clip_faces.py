"""The face of a labelled clip, frame by frame: followed in a video as on the robot, or read from a prepared set."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dfer_ros.core.detection import FaceDetector
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.core.video import open_source
from dfer_ros.training.clips import LabelledClip
from dfer_ros.training.data.prepared_set import PreparedSet


@dataclass(frozen=True)
class ClipFaces:
    """A person over the frames of a clip, oldest first; F is 0 where no face was found.

    label: index into LABELS. crops: F aligned crops [128, 128, 3] uint8 BGR.
    stamps: [F] float64, seconds, rising. quality: [F] 0..1.
    """

    name: str
    label: int
    source: str
    subject: str
    crops: tuple[Image, ...]
    stamps: npt.NDArray[np.float64]
    quality: FloatArray


def follow_face(clip: LabelledClip, detector: FaceDetector) -> ClipFaces:
    """Return the person seen longest in a clip, through the same detection, tracking and alignment as on the robot."""
    pipeline = FacePipeline(detector, TrackerConfig())
    seen: dict[str, list[tuple[Image, float, float]]] = defaultdict(list)
    for frame in open_source(str(clip.path), clip.fps).frames():
        for face in pipeline.process(frame.image, frame.stamp):
            seen[face.id].append((face.aligned, frame.stamp, face.quality))
    longest = max(seen.values(), key=len, default=[])
    return ClipFaces(
        clip.name,
        clip.label,
        clip.source,
        clip.subject,
        tuple(crop for crop, _, _ in longest),
        np.array([stamp for _, stamp, _ in longest], dtype=np.float64),
        np.array([quality for _, _, quality in longest], dtype=np.float32),
    )


def prepared_clips(prepared: PreparedSet) -> Iterator[ClipFaces]:
    """Yield the clips of a prepared set; its stills are passed over. The source is the name of the set's folder."""
    rows = [(index, sample) for index, sample in enumerate(prepared.samples) if sample.clip]
    for name, group in itertools.groupby(rows, key=lambda row: row[1].clip):
        frames = list(group)
        first = frames[0][1]
        yield ClipFaces(
            name,
            first.label,
            prepared.folder.name,
            first.subject,
            tuple(prepared.crop(index) for index, _ in frames),
            np.array([sample.seconds for _, sample in frames], dtype=np.float64),
            np.array([sample.quality for _, sample in frames], dtype=np.float32),
        )
