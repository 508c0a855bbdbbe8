"""Files and folders that appear whole or not at all, though libraries write them by their path."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dfer_ros.core.errors import TrainingError


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Yield the path of a file that gets the name `path` only if all goes well.

    Raises TrainingError where it cannot be written; what was there before stays.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise TrainingError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def make_folder(path: Path) -> Path:
    """Make a folder, if it is not there, and return it. Raises TrainingError where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"The folder {path} cannot be made: {error.strerror}.") from error
    return path


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder in `path` whose files are moved up into it only if all goes well.

    Raises TrainingError where files cannot be written there; other files that were there stay.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=path))
    except OSError as error:
        raise TrainingError(f"The folder {path} cannot be written: {error.strerror}.") from error
    try:
        yield part
        for file in sorted(part.iterdir()):
            file.replace(path / file.name)
    except OSError as error:
        raise TrainingError(f"The folder {path} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.rmdir()  # goes only while it is empty
