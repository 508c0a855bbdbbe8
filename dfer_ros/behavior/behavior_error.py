"""The error of this part of the package."""

from __future__ import annotations

from dfer_ros.core.errors import DferError


class BehaviorError(DferError):
    """A listener that is asked for something that does not exist, or where it would wait for itself."""
