"""Which files hold a stream of frames, by their suffix."""

from __future__ import annotations

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp", ".ogv"),
    *(".mjpeg", ".gif"),
)
STORAGE_SUFFIXES = (".mcap", ".db3")
"""Of the files in which a bag keeps its messages."""
