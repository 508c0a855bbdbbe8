"""What a frame encoder makes of a clip, kept: temporal heads are trained and compared on it without any image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dfer_ros.core.faces import FloatArray
from dfer_ros.training.clips.clip_file import read_clips, write_clips
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.manifest import is_sequence
from dfer_ros.training.encoder.session import Encoder

_ROWS = ("stamps", "quality", "embeddings", "logits")


@dataclass(frozen=True)
class ClipEmbeddings:
    """The frames of one person in one clip, oldest first; F is 0 where no face was found.

    label: index into LABELS. stamps: [F] float64, seconds, rising. quality: [F] float32, 0..1.
    embeddings: [F, D] float32. logits: [F, 7] float32 of the single frames, in the order of LABELS, not calibrated.
    """

    name: str
    label: int
    source: str
    subject: str
    stamps: npt.NDArray[np.float64]
    quality: FloatArray
    embeddings: FloatArray
    logits: FloatArray
    kind: str = ""

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def sequence(self) -> bool:
        """Whether the clip runs from neutral to the apex, so that the answer that counts stands at its end."""
        return is_sequence(self.source)


def embed_clip(faces: ClipFaces, encoder: Encoder) -> ClipEmbeddings:
    """Return what the encoder makes of each face of a clip, each seen once."""
    outputs = encoder.run(faces.crops)
    return ClipEmbeddings(
        faces.name,
        faces.label,
        faces.source,
        faces.subject,
        faces.stamps,
        faces.quality,
        outputs.embeddings,
        outputs.logits,
        faces.kind,
    )


def save_clip_embeddings(path: Path, clips: Sequence[ClipEmbeddings], of: str = "") -> None:
    """Write clips to an .npz file; it appears whole or not at all. of: what they were made from.

    Raises TrainingError where the file cannot be written.
    """
    write_clips(path, clips, {key: [getattr(clip, key) for clip in clips] for key in _ROWS}, of)


def load_clip_embeddings(path: Path, of: str = "") -> list[ClipEmbeddings]:
    """Return the clips that save_clip_embeddings wrote. of: what they must have been made from; empty takes any.

    Raises DataError where the file is missing, damaged or of others.
    """
    clips = []
    for clip in read_clips(path, _ROWS, "embeddings of clips", of):
        stamps, quality, embeddings, logits = clip.frames
        about = (clip.name, clip.label, clip.source, clip.subject)
        clips.append(ClipEmbeddings(*about, stamps, quality, embeddings, logits, clip.kind))
    return clips
