"""The faces of labelled clips, kept in one file: they are found once, however many models look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.training.clip_faces import ClipFaces, follow_face
from dfer_ros.training.clip_file import Frames, read_clips, write_clips
from dfer_ros.training.clips import open_clips

FACES_FILE = "faces.npz"


def kept_faces(source: Path, path: Path) -> list[ClipFaces]:
    """Return the faces of clips in a zip file or folder (see clips.open_clips), from the file `path` if it is there.

    Raises DataError where the clips are missing, or the file is damaged or cannot be written.
    """
    if not path.is_file():
        detector = create_detector(DetectorConfig())
        with open_clips(source) as clips:
            save_faces(path, [follow_face(clip, detector) for clip in track(clips, description="faces of clips")])
    return load_faces(path)


def save_faces(path: Path, clips: Sequence[ClipFaces]) -> None:
    """Write clips to an .npz file; it appears whole or not at all. Raises TrainingError where it cannot be."""
    frames: dict[str, list[Frames]] = {
        "stamps": [clip.stamps for clip in clips],
        "quality": [clip.quality for clip in clips],
        "crops": [np.array(clip.crops, np.uint8).reshape(-1, ALIGNED_SIZE, ALIGNED_SIZE, 3) for clip in clips],
    }
    write_clips(path, clips, frames)


def load_faces(path: Path) -> list[ClipFaces]:
    """Return the clips that save_faces wrote. Raises DataError where the file is missing or damaged."""
    stored = read_clips(path, ("crops", "stamps", "quality"), "faces of clips")
    return [
        ClipFaces(clip.name, clip.label, clip.source, clip.subject, tuple(clip.frames[0]), *clip.frames[1:])
        for clip in stored
    ]
