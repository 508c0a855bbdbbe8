"""Which recordings a user means: by name, by pattern, or by a folder that holds them at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dfer_ros.bags.reader import is_bag
from dfer_ros.core.errors import SourceError, readable
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES, STORAGE_SUFFIXES, VIDEO_SUFFIXES


def find_recordings(named: Sequence[str]) -> list[Path]:
    """Return the absolute paths of the recordings that are named, each once, in a fixed order.

    named: video files, rosbag2 folders, folders of images, folders that hold any of these at any depth, and patterns
    such as `talks/**/*.mp4`, where the shell has not expanded them. In folders, storage files of bags beside other
    recordings count as well; what is hidden is passed over, and so are images beside videos. A folder inside that may
    not be read counts as a recording, to be named when it is opened.
    Raises SourceError where a name or pattern leads to no recording, and where what is named may not be read.
    """
    recordings: dict[Path, None] = {}
    for name in named:
        with readable(Path(name)):
            found = list(_named(name))
        if not found:
            raise SourceError(f"There is no recording in {name}: looked for videos, bags and folders of images.")
        recordings.update(dict.fromkeys(path.resolve() for path in found))
    return list(recordings)


def _named(name: str) -> Iterator[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        yield from _in_folder(path, set())
    elif path.exists():
        yield path
    elif any(letter in name for letter in "*?["):
        yield from _matching(path)
    else:
        raise SourceError(f"There is no file or folder {name}: give videos, bags, folders, or a pattern in quotes.")


def _matching(pattern: Path) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))):
        if path.is_dir():
            yield from _in_folder_or_itself(path, seen)
        elif _is_file(path, VIDEO_SUFFIXES):
            yield path


def _in_folder(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the recordings of a folder, those beside each other by name; a folder in `seen` was looked through."""
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    if is_bag(folder):
        yield folder
        return
    with readable(folder):
        children = sorted(folder.iterdir())
        videos = [child for child in children if _is_file(child, VIDEO_SUFFIXES)]
        bags = [child for child in children if _is_file(child, STORAGE_SUFFIXES)]
        images = any(_is_file(child, IMAGE_SUFFIXES) for child in children)
        folders = [child for child in children if child.is_dir() and not child.name.startswith(".")]
    yield from bags
    if videos:
        yield from videos
    elif images:
        yield folder
    for child in folders:
        yield from _in_folder_or_itself(child, seen)


def _in_folder_or_itself(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the recordings of a folder, or the folder where it may not be read: one stops no other."""
    try:
        yield from _in_folder(folder, seen)
    except SourceError:
        yield folder


def _is_file(path: Path, suffixes: Sequence[str]) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
