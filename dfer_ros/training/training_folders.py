"""Where a run finds its data and other runs, and where it leaves its own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dfer_ros.core.errors import TrainingError


@dataclass(frozen=True)
class TrainingFolders:
    """data: holds the prepared sets, by name. runs: holds the runs, by name. name: of this run."""

    data: Path
    runs: Path
    name: str

    @property
    def output(self) -> Path:
        """The folder of this run."""
        return self.runs / self.name

    def make_output(self) -> None:
        """Make the folder of this run. Raises TrainingError where that is not possible."""
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"The folder {self.output} cannot be made: {error.strerror}.") from error
