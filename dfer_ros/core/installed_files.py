"""Where files lie: those that come with the package, and those of a user."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from dfer_ros.core.errors import DferError

PACKAGE = "dfer_ros"
CHECKSUMS = "shipped.sha256"
"""The file in config/ with the checksums of the nodes' YAML files as they are shipped."""


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


def changed_parameters(node: str) -> list[str]:
    """Return the path of config/<node>.yaml where somebody changed it, else nothing: the node has these values anyway.

    What a launch file sets for all nodes before (SetParameter) is so not overridden by defaults.
    """
    file = share_directory() / "config" / f"{node}.yaml"
    line = f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"
    return [] if line in (file.parent / CHECKSUMS).read_text(encoding="utf-8").splitlines() else [str(file)]


def at_home(path: Path) -> Path:
    """Return a path with the home folder in the place of a ~ at its begin; it stays where there is no such user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  which raises there
