"""The message types of this project for `rosbags`, from the .msg files that come with dfer_msgs; no ROS needed."""

from __future__ import annotations

import os
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
