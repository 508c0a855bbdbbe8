"""Message types by name: as classes of ROS where it is installed, and this project's own for `rosbags`, without ROS."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dfer_ros.core.errors import SourceError
from dfer_ros.core.installed_files import share_directory

EMOTIONS_TYPE = "dfer_msgs/msg/EmotionArray"
FACES_TYPE = "dfer_msgs/msg/FaceArray"
COMPRESSED_IMAGE_TYPE = "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = ("sensor_msgs/msg/Image", COMPRESSED_IMAGE_TYPE)

_PACKAGE = "dfer_msgs"


def message_folder() -> Path | None:
    """Return the folder of the .msg files of dfer_msgs: of the checkout, of the same prefix, or of a sourced ROS."""
    share = share_directory()
    prefixes = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    places = [share / _PACKAGE, share.parent / _PACKAGE, *(prefix / "share" / _PACKAGE for prefix in prefixes)]
    return next((place / "msg" for place in places if (place / "msg" / "EmotionArray.msg").is_file()), None)


def create_typestore() -> Any:
    """Return a `rosbags` typestore with the standard types, and those of dfer_msgs where these are installed.

    Raises SourceError where rosbags is not installed.
    """
    try:
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    except ImportError as error:
        raise SourceError("Reading bags needs the package rosbags: 'pip install rosbags'.") from error
    typestore = get_typestore(Stores.ROS2_HUMBLE)
    folder = message_folder()
    for file in sorted(folder.glob("*.msg")) if folder else ():
        typestore.register(get_types_from_msg(file.read_text(encoding="utf-8"), f"{_PACKAGE}/msg/{file.stem}"))
    return typestore


def message_class(message_type: str) -> Any | None:
    """Return the class of a type such as `sensor_msgs/msg/Image`, or None where its package is not installed."""
    package, _, name = message_type.rpartition("/")
    if not package:
        return None
    try:
        return getattr(importlib.import_module(package.replace("/", ".")), name, None)
    except ImportError:
        return None


def find_topic(topics: Iterable[str], name: str) -> str | None:
    """Return which of the topics of a bag has a name, with or without its slash; None where there is none."""
    return next((topic for topic in topics if topic.lstrip("/") == name.lstrip("/")), None)
