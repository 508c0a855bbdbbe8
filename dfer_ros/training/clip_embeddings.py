"""What a frame encoder makes of a clip, kept: temporal heads are trained and compared on it without any image."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from dfer_ros.core.detection import FaceDetector
from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray
from dfer_ros.training.clip_faces import ClipFaces, follow_face, prepared_clips
from dfer_ros.training.clips import is_sequence, open_clips
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder_session import Encoder

_TEXTS = ("name", "source", "subject")
_ROWS = ("stamps", "quality", "embeddings", "logits")
_KEYS = (*_TEXTS, "label", "length", *_ROWS)


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
    )


def embed_labelled_clips(path: Path, encoder: Encoder, detector: FaceDetector) -> list[ClipEmbeddings]:
    """Return the embeddings of the clips of a zip file or folder with manifest.csv (see clips.open_clips)."""
    with open_clips(path) as clips:
        return [embed_clip(follow_face(clip, detector), encoder) for clip in track(clips, description="clips")]


def embed_prepared_clips(prepared: PreparedSet, encoder: Encoder) -> list[ClipEmbeddings]:
    """Return the embeddings of the clips of a prepared set. Raises DataError where it has none."""
    count = len({sample.clip for sample in prepared.samples if sample.clip})
    if count == 0:
        raise DataError(f"The prepared set {prepared.folder} holds stills only: give one that was made from clips.")
    faces = track(prepared_clips(prepared), description="clips", total=count)
    return [embed_clip(clip, encoder) for clip in faces]


def save_clip_embeddings(path: Path, clips: Sequence[ClipEmbeddings]) -> None:
    """Write clips to an .npz file; it appears whole or not at all. Raises DataError where it cannot be written."""
    columns: dict[str, npt.NDArray[np.generic]] = {key: _texts(getattr(clip, key) for clip in clips) for key in _TEXTS}
    columns["label"] = np.array([clip.label for clip in clips], dtype=np.int64)
    columns["length"] = np.array([len(clip) for clip in clips], dtype=np.int64)
    for key in _ROWS:
        columns[key] = np.concatenate([getattr(clip, key) for clip in clips])
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez(file, **columns)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error


def load_clip_embeddings(path: Path) -> list[ClipEmbeddings]:
    """Return the clips that save_clip_embeddings wrote. Raises DataError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            columns = {key: stored[key] for key in _KEYS}
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}: make the embeddings of clips first.") from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a file of clip embeddings, or damaged: make it again.") from error
    ends = np.cumsum(columns["length"])[:-1]
    rows = zip(*(np.split(columns[key], ends) for key in _ROWS))
    return [
        ClipEmbeddings(str(name), int(label), str(source), str(subject), *of_frames)
        for name, label, source, subject, of_frames in zip(
            columns["name"], columns["label"], columns["source"], columns["subject"], rows
        )
    ]


def _texts(values: Iterable[str]) -> npt.NDArray[np.generic]:
    return np.array(list(values), dtype=np.str_)
