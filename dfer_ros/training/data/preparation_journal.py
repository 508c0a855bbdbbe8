"""What of a preparation is done: one line for each recording, written after its crops, so that a run can go on."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from dfer_ros.core.errors import DataError

JOURNAL_FILE = "journal.jsonl"


@dataclass(frozen=True)
class Done:
    """A recording that is done.

    crops: image (path relative to the set), seconds and quality of each; none if it was left out. reason: why it was,
    or which of its frames could not be read.
    """

    name: str
    crops: tuple[tuple[str, float, float], ...] = ()
    reason: str = ""


class Journal:
    """The journal of the preparation in a folder. The first line holds its settings, by which a run is known again.

    Raises DataError where there is one of other settings, or where it cannot be written.
    """

    def __init__(self, folder: Path, settings: dict[str, object]) -> None:
        self.path = folder / JOURNAL_FILE
        self.done: dict[str, Done] = {}
        try:
            kept = self._read_rows(settings) if self.path.exists() else 0
            # What follows the last whole line was being written when the run ended.
            self._file = self.path.open("ab", buffering=0)
            self._file.truncate(kept)
            if not kept:
                self._append(settings)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, done: Done) -> None:
        """Write down a recording that is done. Raises OSError where that cannot be written, and then leaves no line."""
        self._append(asdict(done))
        self.done[done.name] = done

    def _append(self, content: dict[str, object]) -> None:
        line = json.dumps(content).encode() + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        written = 0
        try:
            written = self._file.write(line) or 0
        finally:
            if written < len(line):
                self._file.truncate(end)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read_rows(self, settings: dict[str, object]) -> int:
        """Read all whole lines and return how many bytes they are."""
        content = self.path.read_bytes()
        kept = content.rfind(b"\n") + 1
        lines = content[:kept].splitlines()
        try:
            rows = [json.loads(line) for line in lines]
            begun = rows[0] if rows else settings
            for row in rows[1:]:
                crops = tuple((str(image), float(seconds), float(quality)) for image, seconds, quality in row["crops"])
                self.done[row["name"]] = Done(row["name"], crops, row["reason"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{self.path} is damaged: delete {self.path.parent} and prepare the set again.") from error
        changed = changed_settings(begun, settings)
        if changed:
            raise DataError(
                f"{self.path.parent} was begun with {changed}: go on as it was begun, or choose another --output."
            )
        return kept


def changed_settings(before: dict[str, object], now: dict[str, object]) -> str:
    """Return in words how settings differ from those before; empty where they do not.

    What older versions did not write down is not compared.
    """
    changed = [name for name, value in before.items() if now.get(name) != value]
    return " and ".join(f"{name} {before[name]}, not {now.get(name)}" for name in changed)


def unwritable(path: Path, error: OSError) -> DataError:
    """Return the sentence for a file that cannot be written."""
    return DataError(
        f"{path} cannot be written ({error.strerror}): make room or get the right to write, and the same command goes "
        "on from what is done."
    )
