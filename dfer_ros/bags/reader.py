"""Opening a rosbag2 for reading, in every form that `rosbags` reads: a folder with metadata, or one storage file."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dfer_ros.core.errors import SourceError, in_one_line, readable
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES, STORAGE_SUFFIXES, VIDEO_SUFFIXES

METADATA_FILE = "metadata.yaml"
_COMPRESSED_SUFFIX = ".zstd"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_METADATA_DAMAGE = ("Invalid bag metadata", "A metadata key is missing", "Could not load YAML")
"""How `rosbags` begins to say so; what follows is Python's own wording."""
_MCAP_MAGIC = b"\x89MCAP0\r\n"


def is_bag(path: Path) -> bool:
    """Return whether a folder is a rosbag2 bag, or what a killed recorder left of one, which open_reader() refuses.

    The latter has storage files, and neither images, videos nor folders beside them.
    Raises SourceError where the folder may not be read.
    """
    with readable(path):
        if not path.is_dir():
            return False
        if (path / METADATA_FILE).is_file():
            return True
        return bool(storage_files(path)) and not any(map(_is_no_part_of_a_bag, path.iterdir()))


def is_storage_file(path: Path) -> bool:
    """Return whether a path is one storage file, which open_reader() reads without its folder."""
    return path.suffix in STORAGE_SUFFIXES and path.is_file()


def storage_files(path: Path) -> list[Path]:
    """Return the files of a folder that hold the messages of a bag, compressed ones as well, in their order.

    Raises SourceError where the folder may not be read.
    """
    with readable(path):
        if not path.is_dir():
            return []
        found = [file for file in path.iterdir() if _storage_suffix(file) in STORAGE_SUFFIXES]
    # A bag in parts counts them: bag_2.mcap comes before bag_10.mcap.
    return sorted(found, key=lambda file: (len(file.name), file.name))


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
        from rosbags.rosbag2 import Reader
    except ImportError as error:
        raise SourceError("Reading bags needs the package rosbags: 'pip install rosbags'.") from error
    check_finished(path)
    with contextlib.ExitStack() as stack:
        try:
            reader = stack.enter_context(Reader(path))
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
        if path.is_dir():
            _check_folder(path)
        elif not path.exists():
            raise SourceError(f"There is no bag {path}.")
        elif path.suffix not in STORAGE_SUFFIXES:
            raise SourceError(f"{path} is no bag: give a folder with a {METADATA_FILE}, or a .mcap or .db3 file.")
        elif path.suffix == ".mcap" and not _ends_with_magic(path):
            raise SourceError(_unfinished(path, "has no end"))


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


def _check_folder(path: Path) -> None:
    metadata, files = path / METADATA_FILE, storage_files(path)
    has_metadata = metadata.is_file()
    # Storages have names of their own for what may not be read.
    for file in (metadata, *files) if has_metadata else files:
        file.open("rb").close()
    if not has_metadata and files:
        raise SourceError(_unfinished(path, f"has no {METADATA_FILE}"))
    if not has_metadata:
        raise SourceError(f"The folder {path} is no bag: it holds no {METADATA_FILE}.")


def _unfinished(path: Path, sign: str) -> str:
    return f"The bag {path} {sign}: its recorder was killed or is still at work.{_repair_hint(path)}"


def _damaged(path: Path, error: Exception) -> SourceError:
    reason = in_one_line(error)
    if reason.startswith(_METADATA_DAMAGE):
        reason = f"its {METADATA_FILE} is damaged"
    return SourceError(f"{path} cannot be read as a bag: {reason}.{_repair_hint(path)}")


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


def _storage_suffix(file: Path) -> str:
    return Path(file.stem).suffix if file.suffix == _COMPRESSED_SUFFIX else file.suffix
