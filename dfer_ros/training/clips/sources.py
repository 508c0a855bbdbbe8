"""Where labelled clips come from: zip files and folders of videos with a manifest, and prepared sets of clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dfer_ros.core.detection import DetectorConfig, FaceDetector, create_detector
from dfer_ros.core.errors import DataError, SourceError, TrainingError
from dfer_ros.training.clips.faces import ClipFaces, follow_face, prepared_clips
from dfer_ros.training.clips.labelled_clips import LabelledClip, check_clips, open_clips
from dfer_ros.training.data.prepared_set import INDEX_FILE, PreparedSet, check_names, open_prepared_set

Clips = str | tuple[str, ...]
"""One or more zip files, folders with manifest.csv, or prepared sets, in --data."""

OpenPart = Callable[[Path], PreparedSet]
"""From the folder of a prepared set to those of its samples that are wanted."""


def clip_paths(clips: Clips, data: Path) -> list[Path]:
    """Return where clips lie. Raises TrainingError where none are named."""
    names = (clips,) if isinstance(clips, str) else clips
    if not names:
        raise TrainingError("'clips' names nothing: give a zip file, a folder with manifest.csv or a prepared set.")
    return [data / name for name in names]


def clip_names(paths: Sequence[Path]) -> str:
    """Return the names of some clips in one text, by which what is kept of them is known again."""
    return ", ".join(path.name for path in paths)


def is_prepared(path: Path) -> bool:
    """Return whether clips are those of a prepared set."""
    return (path / INDEX_FILE).is_file()


def open_training_part(folder: Path) -> PreparedSet:
    """Return the training split of a prepared set, or all of it where it has none, as packs for validation have."""
    prepared = open_prepared_set(folder)
    training = prepared.split("train")
    return training if training.samples else prepared


def check_clip_paths(paths: Sequence[Path], open_part: OpenPart = open_training_part) -> None:
    """Raise DataError for clips that are not there or cannot be used; nothing is unpacked."""
    opened = [open_part(path) for path in paths if is_prepared(path)]
    check_names(opened)
    for prepared in opened:
        if not any(sample.clip for sample in prepared.samples):
            raise DataError(f"The prepared set {prepared.folder} holds stills only: give one that was made from clips.")
    for path in paths:
        if not is_prepared(path):
            check_clips(path)


def detector_for(paths: Sequence[Path], config: DetectorConfig | None = None) -> FaceDetector | None:
    """Return the detector that finds the faces of some clips; None where all are of prepared sets."""
    return None if all(map(is_prepared, paths)) else create_detector(config or DetectorConfig())


def labelled_faces(
    paths: Sequence[Path],
    detector: FaceDetector | None,
    open_part: OpenPart = open_training_part,
    console: Console | None = None,
) -> Iterator[ClipFaces]:
    """Yield the faces of all clips, those of videos first. detector: detector_for() of them.

    Raises DataError and SourceError for what cannot be read.
    """
    if detector is not None:
        yield from found_faces(paths, detector, console)
    prepared = prepared_faces(paths, open_part)
    if prepared:
        yield from track(prepared, description="prepared clips", console=console)


def found_faces(paths: Sequence[Path], detector: FaceDetector, console: Console | None = None) -> Iterator[ClipFaces]:
    """Yield the faces of the clips of zip files and folders of videos, found as on the robot."""
    for path in paths:
        if not is_prepared(path):
            with open_clips(path) as clips:
                for clip in track(clips, description=f"faces of {path.name}", console=console):
                    yield _follow(clip, path, detector)


def prepared_faces(paths: Sequence[Path], open_part: OpenPart = open_training_part) -> list[ClipFaces]:
    """Return the faces of the clips of prepared sets, whose crops are read when they are asked for."""
    return [faces for path in paths if is_prepared(path) for faces in prepared_clips(open_part(path))]


def _follow(clip: LabelledClip, path: Path, detector: FaceDetector) -> ClipFaces:
    try:
        return follow_face(clip, detector)
    except SourceError as error:
        # A copy out of a zip file lies where nobody knows it.
        raise SourceError(str(error).replace(str(clip.path), f"{path}/{clip.name}")) from error
