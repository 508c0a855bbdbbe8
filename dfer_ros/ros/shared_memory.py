"""The shared memory of Fast DDS that a killed process leaves behind.

Every participant owns segments /dev/shm/fastdds_<16 hex digits>, each with a file <segment>_el that the process keeps
locked (flock) while it lives. One that ends well removes both. After SIGKILL, peers that read from a segment remove it
within seconds; one that nobody read from, or whose readers died as well, would stay until the computer starts again:
32 MB of camera images with our profile. Ports (/dev/shm/fastdds_port<n>) are used again by whoever comes next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path

_FOLDER = Path("/dev/shm")
# Fast DDS 3 and, second, Fast DDS 2.
_SEGMENT_LOCK = re.compile(r"^(fastdds|fastrtps)_[0-9a-f]{16}_el$")
_LOCK_SUFFIX = "_el"
_LEAST_AGE_SECONDS = 5.0
"""A younger segment may be one whose owner is about to lock it."""


def remove_abandoned_segments(folder: Path = _FOLDER) -> int:
    """Remove the segments whose owner is dead, of whatever program, and return how many they were.

    Does what `fastdds shm clean` does to segments. Those of other users stay where this user may not remove them.
    folder: where Fast DDS keeps them.
    """
    if not folder.is_dir():
        return 0
    locks = [path for path in folder.iterdir() if _SEGMENT_LOCK.match(path.name)]
    return sum(_remove(lock) for lock in locks if is_abandoned(lock))


def is_abandoned(lock: Path) -> bool:
    """Return whether the owner of a lock file (a path that ends with _el) is dead; a fresh file counts as owned."""
    try:
        if time.time() - lock.stat().st_mtime < _LEAST_AGE_SECONDS:
            return False
        file = os.open(lock, os.O_RDONLY)
    except OSError:  # gone by now, or another user's
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _remove(lock: Path) -> bool:
    with contextlib.suppress(OSError):
        lock.with_name(lock.name.removesuffix(_LOCK_SUFFIX)).unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
        return True
    return False
