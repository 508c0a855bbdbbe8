"""From a data set as it is published to a prepared set: crops, index.csv, and skipped.csv with what was left out."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dfer_ros.core.detection import FaceDetector
from dfer_ros.core.errors import DataError, SourceError
from dfer_ros.recordings.video import open_source
from dfer_ros.training.data.crops import Crop, clip_crops, still_crop
from dfer_ros.training.data.data_set import AlignedStill, Clip, Recording, Still
from dfer_ros.training.data.loading import image_or_none
from dfer_ros.training.data.preparation_journal import JOURNAL_FILE, Done, Journal, changed_settings, unwritable
from dfer_ros.training.data.prepared_set import INDEX_FILE, SETTINGS_FILE, Sample, write_index

SKIPPED_FILE = "skipped.csv"
NO_FACE = "no face was found"
_SENTENCES_IN_ONE_CELL = 3


@dataclass(frozen=True)
class Preparation:
    """How a preparation ended. samples: crops in the index. skipped: reason by recording that gave no crop.

    unread_frames: what is said of clips of which single frames could not be read. already: it was prepared before.
    """

    samples: int
    skipped: dict[str, str]
    unread_frames: dict[str, str]
    already: bool = False


def prepare(
    recordings: Sequence[Recording],
    output: Path,
    settings: dict[str, object],
    make_detector: Callable[[], FaceDetector],
    progress: Callable[[int], None],
) -> Preparation:
    """Prepare the recordings into the folder `output`, or go on with what was begun there with the same settings.

    settings: name of the data set and what else changes the outcome. make_detector: called if a face is to be found.
    progress: called with the number of recordings that are done.
    Raises DataError where the recordings contradict each other, or the folder is another's or cannot be written.
    """
    check_recordings(recordings)
    finished = _finished(output, settings)
    if finished is not None:
        return finished
    _make_output(output)
    detector = None if all(isinstance(recording, AlignedStill) for recording in recordings) else make_detector()
    with Journal(output, settings) as journal:
        for number, recording in enumerate(recordings):
            progress(number)
            if not _is_done(output, journal.done.get(recording.name)):
                _prepare_one(recording, output, detector, journal)
        progress(len(recordings))
        return _finish(recordings, output, settings, journal)


def check_recordings(recordings: Sequence[Recording]) -> None:
    """Raise DataError for a name that is there twice or leads out of the set, or a subject in two splits."""
    splits: dict[str, str] = {}
    names: set[str] = set()
    for recording in recordings:
        path = PurePosixPath(recording.name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DataError(
                f"The name '{recording.name}' of {recording.path} leads out of the data set: correct the list."
            )
        if recording.name in names:
            raise DataError(f"{recording.path} is listed twice, as '{recording.name}': correct the list.")
        names.add(recording.name)
        split = splits.setdefault(recording.subject, recording.split) if recording.subject else recording.split
        if split != recording.split:
            raise DataError(
                f"The subject {recording.subject} is in {split} and, with {recording.path}, in {recording.split}: "
                "nobody may be in two splits."
            )


def missing_files(recordings: Sequence[Recording]) -> list[Recording]:
    """Return the recordings whose file or folder is not there."""
    exists: dict[Path, bool] = {}
    return [one for one in recordings if not exists.setdefault(one.path, one.path.exists())]


def _finished(output: Path, settings: dict[str, object]) -> Preparation | None:
    """Return how it ended if the set is whole already; None if it is still to be made."""
    if not (output / INDEX_FILE).exists():
        return None
    try:
        made = json.loads((output / SETTINGS_FILE).read_text(encoding="utf-8"))
        ended = Preparation(int(made["samples"]), made["skipped"], made["unread_frames"], already=True)
        changed = changed_settings(made["settings"], settings)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        changed = f"settings that nobody knows, as {SETTINGS_FILE} is missing or damaged"
    if changed:
        raise DataError(
            f"{output} holds a set that was prepared with {changed}: choose another --output, or delete it first."
        )
    # The index comes last; only the journal may be left of a run that ended there.
    (output / JOURNAL_FILE).unlink(missing_ok=True)
    return ended


def _make_output(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file: choose a folder with --output.")
    if output.exists() and not (output / JOURNAL_FILE).exists() and any(output.iterdir()):
        raise DataError(f"{output} is not empty and no prepared set: choose another --output.")
    with _writing(output):
        output.mkdir(parents=True, exist_ok=True)


def _is_done(output: Path, done: Done | None) -> bool:
    """Whether a recording is done and its crops are there; those of a computer that lost power may be empty."""
    if done is None:
        return False
    try:
        return all((output / image).stat().st_size > 0 for image, _, _ in done.crops)
    except OSError:
        return False


def _prepare_one(recording: Recording, output: Path, detector: FaceDetector | None, journal: Journal) -> None:
    files: dict[str, Crop] = {}
    try:
        try:
            crops, reason = _crops(recording, detector)
            files = _files(recording, crops)
        except (DataError, SourceError) as error:
            reason = str(error)
        _write_crops(output, recording, files)
        entries = tuple((image, round(crop.seconds, 3), round(crop.quality, 3)) for image, crop in files.items())
        journal.add(Done(recording.name, entries, reason))
    except OSError as error:
        for image in files:
            (output / image).unlink(missing_ok=True)
        raise unwritable(Path(error.filename or output / recording.name), error) from error


def _crops(recording: Recording, detector: FaceDetector | None) -> tuple[list[Crop], str]:
    """Return the crops of a recording, and why there are none or fewer. Raises DataError or SourceError."""
    if isinstance(recording, AlignedStill):
        content = recording.read()
        image = image_or_none(content)
        if image is None or image.shape[0] != image.shape[1]:
            raise DataError(f"{recording.name} in {recording.path} is not a square image that can be decoded.")
        return [Crop(content, 1.0)], ""
    assert detector is not None
    if isinstance(recording, Still):
        crop = still_crop(recording.read(), detector)
        return ([crop], "") if crop is not None else ([], NO_FACE)
    assert isinstance(recording, Clip)
    with recording.unpacked() if recording.unpacked else contextlib.nullcontext(recording.path) as path:
        try:
            source = open_source(str(path.absolute()), recording.fps)
            crops = clip_crops(source, detector)
        except SourceError as error:
            # A copy out of a pack lies where nobody knows it.
            raise SourceError(str(error).replace(str(path), str(recording.path / recording.name))) from error
        reason = " ".join(source.unreadable[:_SENTENCES_IN_ONE_CELL]) or ("" if crops else NO_FACE)
        return crops, reason


def _files(recording: Recording, crops: list[Crop]) -> dict[str, Crop]:
    """Return the crops by the path of their file in the set."""
    if isinstance(recording, Clip):
        return {f"{recording.name}/{crop.frame:05d}.jpg": crop for crop in crops}
    suffix = "" if isinstance(recording, AlignedStill) else ".jpg"
    return {f"{recording.name}{suffix}": crop for crop in crops}


def _write_crops(output: Path, recording: Recording, files: dict[str, Crop]) -> None:
    if isinstance(recording, Clip) and (output / recording.name).exists():
        shutil.rmtree(output / recording.name)
    for image, crop in files.items():
        path = output / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(crop.jpeg)


def _finish(
    recordings: Sequence[Recording], output: Path, settings: dict[str, object], journal: Journal
) -> Preparation:
    outcome = [journal.done[recording.name] for recording in recordings]
    skipped = {done.name: done.reason for done in outcome if not done.crops}
    unread = {done.name: done.reason for done in outcome if done.crops and done.reason}
    samples = [
        Sample(image, one.split, one.subject, _clip_name(one), seconds, quality, one.target, one.tags)
        for one, done in zip(recordings, outcome)
        for image, seconds, quality in done.crops
    ]
    if not samples:
        raise DataError(
            f"None of the {len(recordings)} recordings gave a crop, delete {output} and look at them: of the first, "
            f"{recordings[0].path}, is said: {outcome[0].reason}"
        )
    with _writing(output / SKIPPED_FILE), (output / SKIPPED_FILE).open("w", newline="", encoding="utf-8") as file:
        rows = [(one.name, str(one.path), done.reason) for one, done in zip(recordings, outcome) if done.reason]
        csv.writer(file).writerows([("recording", "path", "reason"), *rows])
    summary = {"settings": settings, "samples": len(samples), "skipped": skipped, "unread_frames": unread}
    with _writing(output / SETTINGS_FILE):
        (output / SETTINGS_FILE).write_text(json.dumps(summary, indent=1), encoding="utf-8")
    write_index(output, samples)
    journal.path.unlink(missing_ok=True)
    return Preparation(len(samples), skipped, unread)


def _clip_name(recording: Recording) -> str:
    return recording.name if isinstance(recording, Clip) else ""


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def without_training(recordings: Sequence[Recording], path: Path) -> list[Recording]:
    """Return the recordings but those for training that are named in a CSV file of near duplicates, in any column.

    Raises DataError where the file cannot be read or names none of them, as it is then of other data sets.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The list of near duplicates {path} cannot be read: {error}.") from error
    named = {cell.strip() for row in rows for cell in row}
    left_out = {one.name for one in recordings if one.name in named}
    if not left_out:
        raise DataError(f"{path} names none of the {len(recordings)} recordings: give the list of this data set.")
    return [one for one in recordings if one.split != "train" or one.name not in left_out]
