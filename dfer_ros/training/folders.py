"""Where a run finds its data and other runs, and where it leaves its own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dfer_ros.core.atomic_file import make_folder
from dfer_ros.core.errors import TrainingError


@dataclass(frozen=True)
class TrainingFolders:
    """data: holds the prepared sets, by name. runs: holds the runs, by name. name: of this run.

    Raises TrainingError for a name that is none of a folder in `runs`.
    """

    data: Path
    runs: Path
    name: str

    def __post_init__(self) -> None:
        if self.name in ("", "..") or Path(self.name).name != self.name:
            raise TrainingError(
                f"A run cannot be named '{self.name}': give --name a plain name, as of a folder in {self.runs}."
            )

    @property
    def output(self) -> Path:
        """The folder of this run."""
        return self.runs / self.name

    def make_output(self) -> None:
        """Make the folder of this run. Raises TrainingError where that is not possible."""
        make_folder(self.output)
