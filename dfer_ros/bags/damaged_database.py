"""The messages of a SQLite bag that may lack its end or its metadata; the file stays as it is."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

_TABLES = ("schema", "topics", "message_definitions")
"""What describes the messages; small, and written before them."""


def read_database(file: Path) -> Iterator[tuple[Any, int, bytes]]:
    """Yield connection (`rosbags`), time of reception (nanoseconds) and bytes of each message, as they were written.

    Raises sqlite3.Error, or that of `rosbags`, where the damage begins.
    """
    from dfer_ros.bags.storage_readers import BagReader

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = _recovered(file, folder)
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(file.resolve()))}?immutable=1", uri=True)
        ) as database:
            # Else SQLite refuses a file that is shorter than its first page says.
            database.execute("PRAGMA writable_schema=ON")
            description = folder / "description.db3"
            _copy_description(database, description)
            with BagReader(description) as reader:
                connections = {connection.id: connection for connection in reader.connections}
                for topic, received, data in database.execute("SELECT topic_id, timestamp, data FROM messages"):
                    yield connections[topic], received, data


def _recovered(file: Path, folder: Path) -> Path:
    """Return a copy in which SQLite finished or took back what its recorder was about to write."""
    companions = [file.with_name(file.name + suffix) for suffix in ("-wal", "-journal")]
    if not any(companion.exists() for companion in companions):
        return file
    for part in (file, *companions):
        if part.exists():
            shutil.copy(part, folder)
    with contextlib.closing(sqlite3.connect(folder / file.name)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchall()
        database.execute("SELECT count(*) FROM sqlite_master").fetchall()
    return folder / file.name


def _copy_description(database: sqlite3.Connection, description: Path) -> None:
    """Make a bag with the same topics and types, and without messages: counting those fails where some are damaged."""
    tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type='table'").fetchall()
    with contextlib.closing(sqlite3.connect(description)) as copy, copy:
        for name, statement in tables:
            if name in (*_TABLES, "messages"):
                copy.execute(statement)
            if name in _TABLES:
                for row in database.execute(f"SELECT * FROM {name}"):
                    copy.execute(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", row)
