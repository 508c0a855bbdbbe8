"""Where the files that come with the package lie: models, configuration, launch files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dfer_ros.core.errors import DferError

PACKAGE = "dfer_ros"


@cache
def share_directory() -> Path:
    """Return the folder that holds models/, config/ and launch/.

    That is share/dfer_ros of the prefix this package is installed in (pip or colcon), or the root of the checkout.
    Raises DferError where neither is there.
    """
    for parent in Path(__file__).resolve().parents[2:]:
        if (parent / "package.xml").is_file() and (parent / "models").is_dir():
            return parent
        share = parent / "share" / PACKAGE
        if share.is_dir():
            return share
    raise DferError(
        f"The shared files of {PACKAGE} were not installed with it: install it with pip or colcon, not by copying."
    )
