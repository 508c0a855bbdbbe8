"""The Python classes of message types by name."""

from __future__ import annotations

import importlib
from typing import Any


def message_class(message_type: str) -> Any | None:
    """Return the class of a type such as `sensor_msgs/msg/Image`, or None where its package is not installed."""
    package, _, name = message_type.rpartition("/")
    if not package:
        return None
    try:
        return getattr(importlib.import_module(package.replace("/", ".")), name, None)
    except ImportError:
        return None
