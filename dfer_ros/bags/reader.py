"""Opening a rosbag2 for reading, in every form that `rosbags` reads: a folder with metadata, or one storage file."""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dfer_ros.core.errors import SourceError, in_one_line, readable
from dfer_ros.streams.file_suffixes import (
    IMAGE_SUFFIXES,
    PACKED_SUFFIX,
    STORAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    is_hidden,
    storage_suffix,
)

METADATA_FILE = "metadata.yaml"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_METADATA_DAMAGE = ("Invalid bag metadata", "A metadata key is missing", "Could not load YAML")
"""How `rosbags` begins to say so; what follows is Python's own wording."""
_NEWER, _STRANGE_STORAGE = re.compile(r"Rosbag2 version (\d+) not"), re.compile(r"Storage plugin (.+) not supported")
"""And so."""
_PART_NUMBER = re.compile(r"_\d+$")
_MOST_NAMED = 5
_MCAP_MAGIC = b"\x89MCAP0\r\n"
_ROS1_MAGIC = b"#ROSBAG V"


def is_bag(path: Path) -> bool:
    """Return whether a folder is a rosbag2 bag, or what a killed recorder left of one, which open_reader() refuses.

    The latter has storage files of one recording, and neither images, videos nor folders beside them.
    Raises SourceError where the folder may not be read.
    """
    with readable(path):
        if not path.is_dir():
            return False
        if (path / METADATA_FILE).is_file():
            return True
        return len(recordings_in(path)) == 1 and not any(map(_is_no_part_of_a_bag, path.iterdir()))


def is_storage_file(path: Path) -> bool:
    """Return whether a path is one storage file, which open_reader() reads without its folder."""
    return storage_suffix(path) in STORAGE_SUFFIXES and path.is_file()


def storage_files(path: Path) -> list[Path]:
    """Return the files of a folder that hold the messages of a bag, compressed ones as well, in their order.

    Raises SourceError where the folder may not be read.
    """
    with readable(path):
        if not path.is_dir():
            return []
        found = [file for file in path.iterdir() if storage_suffix(file) in STORAGE_SUFFIXES and not is_hidden(file)]
    # A bag in parts counts them: bag_2.mcap comes before bag_10.mcap.
    return sorted(found, key=lambda file: (len(file.name), file.name))


def recordings_in(folder: Path) -> dict[str, list[Path]]:
    """Return the storage files of a folder by the recording that they are parts of: `talk_0.mcap`, `talk_1.mcap`.

    Raises SourceError where the folder may not be read.
    """
    recordings: dict[str, list[Path]] = {}
    for file in storage_files(folder):
        stem = file.name[: file.name.lower().index(storage_suffix(file))]
        recordings.setdefault(f"{_PART_NUMBER.sub('', stem)}{storage_suffix(file)}", []).append(file)
    return recordings


def check_one_recording(folder: Path) -> None:
    """Raise SourceError where the storage files of a folder are those of several recordings, which are not mixed."""
    names = list(recordings_in(folder))
    if len(names) > 1:
        shown = ", ".join([*names[:_MOST_NAMED], *(["..."] if len(names) > _MOST_NAMED else [])])
        raise SourceError(f"{folder} holds {len(names)} recordings ({shown}): name one file of them.")


def whole_file_of(folder: Path) -> Path | None:
    """Return the storage file of a folder that was copied without its metadata.yaml, where it is whole; else None.

    Only MCAP tells that; its recorder writes the end last. Raises SourceError where the folder may not be read.
    """
    files = storage_files(folder)
    if len(files) != 1 or (folder / METADATA_FILE).is_file() or files[0].suffix.lower() != ".mcap":
        return None
    return files[0] if _ends_with_magic(files[0]) else None


def holds_messages(path: Path) -> bool:
    """Return whether a path is a bag, what a killed recorder left of one, or one storage file."""
    return is_bag(path) or bool(storage_files(path)) or is_storage_file(path)


@contextlib.contextmanager
def open_reader(path: Path) -> Iterator[Any]:
    """Yield an open `rosbags.rosbag2.Reader` of a bag: a folder, or one .mcap or .db3 file.

    Raises SourceError where there is no bag, where it may not be read, where its recorder did not come to its end, and
    where it is damaged.
    """
    try:
        from dfer_ros.bags.storage_readers import BagReader
    except ImportError as error:
        raise SourceError("Reading bags needs the package rosbags: 'pip install rosbags'.") from error
    check_finished(path)
    with contextlib.ExitStack() as stack:
        try:
            file = path
            if path.suffix == PACKED_SUFFIX:
                file = unpacked(path, Path(stack.enter_context(tempfile.TemporaryDirectory())))
            reader = stack.enter_context(BagReader(file))
        except SourceError:
            raise
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise _damaged(path, error) from error
            raise SourceError(
                f"There is no room to unpack {path} in {tempfile.gettempdir()}: set TMPDIR to a folder that has room."
            ) from error
        except Exception as error:  # every storage has exceptions of its own for damage
            raise _damaged(path, error) from error
        _match_topics(reader)
        yield reader


def read_messages(
    reader: Any, path: Path, connections: Sequence[Any], start: int | None = None, stop: int | None = None
) -> Iterator[tuple[Any, int, bytes]]:
    """Yield connection, time of reception (nanoseconds) and bytes of each message of some connections.

    start, stop: only messages received at or after, and before this time (nanoseconds).
    Raises SourceError where the bag turns out to be damaged.
    """
    messages = reader.messages(connections, start, stop)
    while True:
        try:
            message = next(messages, None)
        except Exception as error:  # every storage has exceptions of its own for damage
            raise SourceError(f"The bag {path} is damaged: {in_one_line(error)}.{_repair_hint(path)}") from error
        if message is None:
            return
        yield message


def check_finished(path: Path) -> None:
    """Raise SourceError where a path is no bag, one that may not be read, or one that its recorder did not finish."""
    with readable(path):
        check_no_ros1(path)
        if path.is_dir():
            _check_folder(path)
        elif not path.exists():
            raise SourceError(f"There is no bag {path}.")
        elif storage_suffix(path) not in STORAGE_SUFFIXES:
            raise SourceError(f"{path} is no bag: give a folder with a {METADATA_FILE}, or a .mcap or .db3 file.")
        elif path.suffix == ".mcap" and not _ends_with_magic(path):
            raise SourceError(_unfinished(path, "has no end"))


def check_no_ros1(path: Path) -> None:
    """Raise SourceError where a path is a bag of ROS 1."""
    if not path.is_file():
        return
    with readable(path), path.open("rb") as file:
        if file.read(len(_ROS1_MAGIC)) == _ROS1_MAGIC:
            raise SourceError(
                f"{path} is a bag of ROS 1: 'rosbags-convert --src {path} --dst NEW', which comes with rosbags, makes "
                "one of ROS 2 of it."
            )


def _match_topics(reader: Any) -> None:
    """Have `rosbags` read topics whose profiles of quality of service differ in the metadata and in the storage file.

    People change those in the metadata so that a bag plays to their subscribers; `rosbags` then finds no messages.
    """
    told = {(connection.topic, connection.msgtype): connection.ext for connection in reader.connections}
    known = [(connection.topic, connection.msgtype, connection.ext) for connection in reader.connections]
    for storage in getattr(reader.storage, "storages", ()):
        for index, connection in enumerate(storage.connections):
            topic = connection.topic, connection.msgtype
            if topic in told and (*topic, connection.ext) not in known:
                storage.connections[index] = connection._replace(ext=told[topic])


def unpacked(file: Path, folder: Path) -> Path:
    """Return what is in a file packed with Zstandard, in a folder; raises EOFError or ZstdError where it is damaged."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd  # comes with rosbags

    target = folder / file.stem
    with zstd.open(file, "rb") as packed, target.open("wb") as whole:
        shutil.copyfileobj(packed, whole)
    return target


def _check_folder(path: Path) -> None:
    metadata, files = path / METADATA_FILE, storage_files(path)
    has_metadata = metadata.is_file()
    # Storages have names of their own for what may not be read.
    for file in (metadata, *files) if has_metadata else files:
        file.open("rb").close()
    if not has_metadata:
        check_one_recording(path)
    if not has_metadata and files:
        whole = whole_file_of(path)
        copied = f", or it was copied without it: {whole} is whole and can be named itself" if whole else ""
        raise SourceError(_unfinished(path, f"has no {METADATA_FILE}", copied))
    if not has_metadata:
        raise SourceError(f"The folder {path} is no bag: it holds no {METADATA_FILE}.")


def _unfinished(path: Path, sign: str, otherwise: str = "") -> str:
    return f"The bag {path} {sign}: its recorder was killed or is still at work{otherwise}.{_repair_hint(path)}"


def _damaged(path: Path, error: Exception) -> SourceError:
    reason = in_one_line(error)
    newer, storage = _NEWER.match(reason), _STRANGE_STORAGE.match(reason)
    if newer:
        reason, remedy = (
            f"its {METADATA_FILE} is of version {newer[1]}, which is newer than is known here",
            " Update rosbags, or name its storage file instead of the folder.",
        )
    elif storage:
        reason, remedy = (
            f"its messages are in the storage {storage[1]}, which is not known here",
            " 'ros2 bag convert' makes one with MCAP of it, where the plugin of that storage is.",
        )
    else:
        if reason.startswith(_METADATA_DAMAGE):
            reason = f"its {METADATA_FILE} is damaged"
        remedy = _repair_hint(path)
    return SourceError(f"{path} cannot be read as a bag: {reason}.{remedy}")


def _repair_hint(path: Path) -> str:
    if not (path.is_file() or storage_files(path)):
        return ""
    return f" 'dfer record --repair {path} --output NEW' makes a whole bag of what is there."


def _ends_with_magic(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - len(_MCAP_MAGIC)))
        return file.read() == _MCAP_MAGIC


def _is_no_part_of_a_bag(path: Path) -> bool:
    return path.suffix.lower() in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES) or path.is_dir()
