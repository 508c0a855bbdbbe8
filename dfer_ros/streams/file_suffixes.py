"""Which files hold a stream of frames, by their suffix."""

from __future__ import annotations

from pathlib import PurePath

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".tif", ".tiff")
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".f4v", ".3gp", ".3g2", ".mkv", ".mk3d", ".webm", ".avi", ".divx", ".wmv", ".asf"),
    *(".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".mpv", ".m2p", ".vob", ".ts", ".mts", ".m2ts", ".m2t", ".tod", ".trp"),
    *(".flv", ".ogv", ".ogg", ".ogm", ".rm", ".rmvb", ".mxf", ".gxf", ".nut", ".wtv", ".dv", ".ivf", ".y4m", ".amv"),
    *(".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".obu", ".mjpeg", ".mjpg", ".gif", ".apng"),
)
STORAGE_SUFFIXES = (".mcap", ".db3")
"""Of the files in which a bag keeps its messages."""
PACKED_SUFFIX = ".zstd"
"""After that of a storage file that is packed as a whole."""
ROS1_SUFFIX = ".bag"


def storage_suffix(file: PurePath) -> str:
    """Return the suffix of a file without that of packing."""
    suffix = file.suffix.lower()
    return PurePath(file.stem).suffix.lower() if suffix == PACKED_SUFFIX else suffix


def is_hidden(file: PurePath) -> bool:
    """Return whether a file or folder does not want to be found: its name begins with a dot, as `._` files of a Mac."""
    return file.name.startswith(".")
