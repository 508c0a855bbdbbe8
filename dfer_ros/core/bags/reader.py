"""Opening a rosbag2 for reading, in every form that `rosbags` reads: a folder with metadata, or one storage file."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dfer_ros.core.errors import SourceError

METADATA_FILE = "metadata.yaml"
STORAGE_SUFFIXES = (".mcap", ".db3")
_COMPRESSED_SUFFIX = ".zstd"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MCAP_MAGIC = b"\x89MCAP0\r\n"


def is_bag(path: Path) -> bool:
    """Return whether a folder is a rosbag2 bag, or what a killed recorder left of one, which open_reader() refuses."""
    has_metadata = (path / METADATA_FILE).is_file()
    # Recorders give their files the name of the folder; other folders may hold such files as well.
    return has_metadata or any(file.name.startswith(path.resolve().name) for file in storage_files(path))


def storage_files(path: Path) -> list[Path]:
    """Return the files of a folder that hold the messages of a bag, compressed ones as well, in their order."""
    if not path.is_dir():
        return []
    found = (file for file in path.iterdir() if _storage_suffix(file) in STORAGE_SUFFIXES)
    # A bag in parts counts them: bag_2.mcap comes before bag_10.mcap.
    return sorted(found, key=lambda file: (len(file.name), file.name))


def holds_messages(path: Path) -> bool:
    """Return whether a path is a bag, what a killed recorder left of one, or one storage file."""
    return is_bag(path) or bool(storage_files(path)) or (path.is_file() and path.suffix in STORAGE_SUFFIXES)


@contextlib.contextmanager
def open_reader(path: Path) -> Iterator[Any]:
    """Yield an open `rosbags.rosbag2.Reader` of a bag: a folder, or one .mcap or .db3 file.

    Raises SourceError where there is no bag, where its recorder did not come to its end, and where it is damaged.
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
                raise SourceError(f"{path} cannot be read as a bag: {clause(error)}.") from error
            raise SourceError(
                f"There is no room to unpack {path} in {tempfile.gettempdir()}: set TMPDIR to a folder that has room."
            ) from error
        except Exception as error:  # every storage has exceptions of its own for damage
            raise SourceError(f"{path} cannot be read as a bag: {clause(error)}.") from error
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
            raise SourceError(f"The bag {path} is damaged: {clause(error)}.") from error
        if message is None:
            return
        yield message


def check_finished(path: Path) -> None:
    """Raise SourceError, with what to do, where a path is no bag, or one that its recorder did not finish."""
    if not path.exists():
        raise SourceError(f"There is no bag {path}.")
    if path.is_file():
        if path.suffix not in STORAGE_SUFFIXES:
            raise SourceError(f"{path} is no bag: give a folder with a {METADATA_FILE}, or a .mcap or .db3 file.")
        if path.suffix == ".mcap" and not _ends_with_magic(path):
            raise SourceError(_unfinished(path, "has no end"))
    elif not (path / METADATA_FILE).is_file():
        if storage_files(path):
            raise SourceError(_unfinished(path, f"has no {METADATA_FILE}"))
        raise SourceError(f"The folder {path} is no bag: it holds no {METADATA_FILE}.")


def clause(error: Exception) -> str:
    """Return what an exception says as one line without its full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


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


def _unfinished(path: Path, sign: str) -> str:
    return (
        f"The bag {path} {sign}: its recorder was killed or is still at work. "
        f"'dfer record --repair {path} --output NEW' makes a whole bag of what is there."
    )


def _ends_with_magic(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - len(_MCAP_MAGIC)))
        return file.read() == _MCAP_MAGIC


def _storage_suffix(file: Path) -> str:
    return Path(file.stem).suffix if file.suffix == _COMPRESSED_SUFFIX else file.suffix
