"""The faces of labelled clips, found once and kept in one file, however many models look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.training.clips.clip_file import Frames, read_clips, write_clips
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.clips.sources import (
    check_clip_paths,
    clip_names,
    detector_for,
    found_faces,
    is_prepared,
    prepared_faces,
)

FACES_FILE = "faces.npz"


def kept_faces(paths: Sequence[Path], path: Path) -> list[ClipFaces]:
    """Return the faces of clips (see clip_sources): those of videos from the file `path` if it is there.

    Raises DataError where the clips are missing, or the file is damaged, of other clips, or cannot be written.
    """
    kept = path.is_file()
    # Videos that were looked at once may be gone.
    check_clip_paths([one for one in paths if is_prepared(one) or not kept])
    videos = [one for one in paths if not is_prepared(one)]
    detector = None if kept else detector_for(videos)
    if detector is not None:
        save_faces(path, list(found_faces(videos, detector)), clip_names(videos))
    return (load_faces(path, clip_names(videos)) if videos else []) + prepared_faces(paths)


def save_faces(path: Path, clips: Sequence[ClipFaces], of: str = "") -> None:
    """Write clips to an .npz file; it appears whole or not at all. of: what they were found in.

    Raises TrainingError where the file cannot be written.
    """
    frames: dict[str, list[Frames]] = {
        "stamps": [clip.stamps for clip in clips],
        "quality": [clip.quality for clip in clips],
        "crops": [np.array(clip.crops, np.uint8).reshape(-1, ALIGNED_SIZE, ALIGNED_SIZE, 3) for clip in clips],
    }
    write_clips(path, clips, frames, of)


def load_faces(path: Path, of: str = "") -> list[ClipFaces]:
    """Return the clips that save_faces wrote. of: what they must have been found in; empty takes any.

    Raises DataError where the file is missing, damaged or of others.
    """
    stored = read_clips(path, ("crops", "stamps", "quality"), "faces of clips", of)
    return [
        ClipFaces(clip.name, clip.label, clip.source, clip.subject, tuple(clip.frames[0]), *clip.frames[1:])
        for clip in stored
    ]
