"""Files of libraries that write them by their path, which shall appear whole or not at all."""

from __future__ import annotations

import contextlib
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
