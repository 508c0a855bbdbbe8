"""Files and folders that may not be read, as a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dfer_ros.core.errors import SourceError


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise SourceError where what is done in the `with` fails as a file or folder, this one or in it, is refused."""
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            f"{error.filename or path} cannot be read ({error.strerror}): get the right to, with chmod or chown."
        ) from error
    except OSError as error:
        raise SourceError(f"{error.filename or path} cannot be read ({error.strerror}).") from error
