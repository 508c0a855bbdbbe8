"""docs/input.md names every suffix and every encoding that is read."""

from pathlib import Path

import pytest

from dfer_ros.core import image_encoding
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES, STORAGE_SUFFIXES, VIDEO_SUFFIXES

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "input.md").read_text(encoding="utf-8")
NAMES = (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES, *STORAGE_SUFFIXES, *image_encoding._ENCODINGS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_is_named(name):
    assert f"`{name}`" in TEXT
