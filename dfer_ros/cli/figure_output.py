"""Pictures of matplotlib as PNG files that appear whole or not at all."""

from __future__ import annotations

import warnings
from pathlib import Path

from matplotlib.figure import Figure

from dfer_ros.cli.outputs import whole_path


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file; raises SourceError where it cannot be written."""
    with whole_path(path) as part, warnings.catch_warnings():
        # Ids and names may have characters that no font here has; the picture shows a box for each.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(part, format="png")
