"""Which recordings a user means: by name, by pattern, or by a folder that holds them at any depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dfer_ros.bags.reader import is_bag, whole_file_of
from dfer_ros.core.errors import SourceError, readable
from dfer_ros.core.installed_files import at_home
from dfer_ros.recordings.video_file import is_address
from dfer_ros.streams.file_suffixes import (
    IMAGE_SUFFIXES,
    ROS1_SUFFIX,
    STORAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    is_hidden,
    storage_suffix,
)

_OWN_SUFFIXES = (".jsonl", ".receipt.json")
"""Of what an earlier run left in a folder of recordings."""
_MOST_NAMED = 5


@dataclass
class FoundRecordings:
    """recordings: absolute paths, each once, in a fixed order. passed_over: files in folders that are none."""

    recordings: list[Path] = field(default_factory=list)
    passed_over: list[Path] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """Return what was passed over and why, in a sentence each."""
        beside = [path for path in self.passed_over if path.suffix.lower() in IMAGE_SUFFIXES]
        others = [path for path in self.passed_over if path.suffix.lower() not in IMAGE_SUFFIXES]
        remarks = []
        if beside:
            remarks.append(f"Passed over, as pictures beside videos are no recording: {_named_files(beside)}.")
        if others:
            remarks.append(f"Passed over, as their suffix is of no video, bag or picture: {_named_files(others)}.")
        return remarks


def find_recordings(named: Sequence[str]) -> FoundRecordings:
    """Return the recordings that are named.

    named: video files, rosbag2 folders, folders of images, folders that hold any of these at any depth, and patterns
    such as `talks/**/*.mp4`, where the shell has not expanded them. In folders, storage files of bags beside other
    recordings count as well; what is hidden is passed over without a word, and images beside videos with one. What
    cannot be read, a folder inside or a bag of ROS 1, counts as a recording, to be named when it is opened.
    Raises SourceError where a name or pattern leads to no recording, and where what is named may not be read.
    """
    found = FoundRecordings()
    recordings: dict[Path, None] = {}
    for name in named:
        search = _Search(found.passed_over)
        with readable(Path(name)):
            paths = list(search.named(name))
        if not paths:
            raise SourceError(
                f"There is no recording in {name}: looked for videos, bags and folders of images."
                + "".join(f" {remark}" for remark in FoundRecordings([], found.passed_over).remarks())
            )
        recordings.update(dict.fromkeys(path.resolve() for path in paths))
    found.recordings = list(recordings)
    found.passed_over = [path for path in dict.fromkeys(found.passed_over) if path.resolve() not in recordings]
    return found


class _Search:
    """A walk through what one name leads to; folders are looked through once."""

    def __init__(self, passed_over: list[Path]) -> None:
        self._seen: set[Path] = set()
        self._passed_over = passed_over

    def named(self, name: str) -> Iterator[Path]:
        if is_address(name):
            raise SourceError(f"{name} is an address: analyze it by itself, with --output.")
        path = at_home(Path(name))
        if path.is_dir():
            yield from self._in_folder(path)
        elif path.exists():
            yield path
        elif any(letter in name for letter in "*?["):
            yield from self._matching(path)
        else:
            raise SourceError(f"There is no file or folder {name}: give videos, bags, folders, or a pattern in quotes.")

    def _matching(self, pattern: Path) -> Iterator[Path]:
        # The letters of a pattern may be part of the names of folders before it.
        for path in sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))):
            if path.is_dir():
                yield from self._in_folder_or_itself(path)
            elif is_hidden(path):
                continue
            elif _is_recording(path):
                yield path
            elif not _is_own(path):
                self._passed_over.append(path)

    def _in_folder(self, folder: Path) -> Iterator[Path]:
        """Yield the recordings of a folder, those beside each other by name."""
        real = folder.resolve()
        if real in self._seen:
            return
        self._seen.add(real)
        if is_bag(folder):
            yield whole_file_of(folder) or folder
            return
        with readable(folder):
            children = [child for child in sorted(folder.iterdir()) if not is_hidden(child)]
            files = [child for child in children if child.is_file()]
            folders = [child for child in children if child.is_dir()]
        recordings = [file for file in files if _is_recording(file)]
        images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
        yield from recordings
        if any(file.suffix.lower() in VIDEO_SUFFIXES for file in recordings):
            self._passed_over += images
        elif images:
            yield folder
        self._passed_over += [file for file in files if file not in {*recordings, *images} and not _is_own(file)]
        for child in folders:
            yield from self._in_folder_or_itself(child)

    def _in_folder_or_itself(self, folder: Path) -> Iterator[Path]:
        """Yield the recordings of a folder, or the folder where it may not be read: one stops no other."""
        try:
            yield from self._in_folder(folder)
        except SourceError:
            yield folder


def _is_recording(file: Path) -> bool:
    return file.suffix.lower() in (*VIDEO_SUFFIXES, ROS1_SUFFIX) or storage_suffix(file) in STORAGE_SUFFIXES


def _is_own(file: Path) -> bool:
    return file.name.lower().endswith(_OWN_SUFFIXES)


def _named_files(files: Sequence[Path]) -> str:
    """Return the names of files, or of many of them how many there are of each suffix."""
    if len(files) <= _MOST_NAMED:
        return ", ".join(str(file) for file in files)
    suffixes = Counter(file.suffix.lower() or "without suffix" for file in files)
    return f"{len(files)} files ({', '.join(f'{count} {suffix}' for suffix, count in suffixes.most_common(8))})"
