"""The writer of `rosbags` with two additions: what was written outlives a kill, and MCAP channels name type hashes.

rosbag2 keeps the hash of a topic's type with its channel in an MCAP file; `rosbags` has it in the metadata only.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import McapWriter, write_channel, write_string
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Writer


class _Mcap(McapWriter):
    def add_connection(self, connection: Any, offered_qos_profiles: str) -> None:
        begin = self.chunk.bio.tell()
        super().add_connection(connection, offered_qos_profiles)
        metadata = BytesIO()
        metadata.write(self.channels[-1].metadata)
        write_string(metadata, "topic_type_hash")
        write_string(metadata, connection.digest)
        self.channels[-1] = self.channels[-1]._replace(metadata=metadata.getvalue())
        self.chunk.bio.seek(begin)
        self.chunk.bio.truncate()
        write_channel(self.chunk.bio, self.channels[-1], self.schemas)

    def flush(self) -> None:
        if self.chunk.msgs:
            self.close_chunk()
        self.bio.flush()


class _Sqlite(Sqlite3Writer):
    def __init__(self, path: Path, compression: Any) -> None:
        super().__init__(path, compression)
        # A killed process needs no more than the file system's memory; rosbag2 writes so as well.
        self.conn.execute("PRAGMA synchronous=OFF")

    def flush(self) -> None:
        self.conn.commit()


class FlushingWriter(Writer):
    """`rosbags.rosbag2.Writer` whose flush() makes what was written so far outlive the process."""

    STORAGE_PLUGINS: ClassVar[dict[StoragePlugin, Any]] = {StoragePlugin.MCAP: _Mcap, StoragePlugin.SQLITE3: _Sqlite}

    def flush(self) -> None:
        """Hand all messages over to the operating system."""
        self.storage.flush()
