"""The log of a run: a CSV file, and its curves as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError

LOG_FILE = "log.csv"
CURVES_FILE = "curves.png"


class TrainingLog:
    """Rows of numbers by step, in log.csv of a folder. start: the step of the checkpoint; later rows are dropped."""

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        self.rows = [row for row in _read(folder / LOG_FILE) if row["step"] <= start]

    def add(self, row: dict[str, float]) -> None:
        """Append a row and draw the curves anew. Raises TrainingError where they cannot be written."""
        self.rows.append(row)
        columns = list(dict.fromkeys(name for one in self.rows for name in one))
        with whole_path(self._folder / LOG_FILE) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({name: f"{value:.6g}" for name, value in one.items()} for one in self.rows)
        with whole_path(self._folder / CURVES_FILE) as part:
            draw_curves(self.rows, part)


def draw_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Draw the losses (one panel) and the accuracies (another) of a log over its steps."""
    from matplotlib.figure import Figure  # here: it takes a second, and a run logs late

    losses = [name for name in rows[0] if "loss" in name]
    others = [name for name in rows[-1] if name not in losses and name not in ("step", "learning_rate")]
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    panels = figure.subplots(1, 2)
    for panel, names, title in zip(panels, (losses, others), ("Loss", "Validation (%)")):
        for name in names:
            points = [(row["step"], row[name]) for row in rows if name in row]
            panel.plot(*zip(*points), marker="o", markersize=3, label=name.replace("_", " "))
        panel.set(title=title, xlabel="Step")
        panel.grid(alpha=0.3)
        if names:
            panel.legend(fontsize=8)
    figure.savefig(path, dpi=100)


def _read(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (ValueError, TypeError) as error:
            raise TrainingError(f"{path} is not the log of a run ({error}): move it away.") from error
    if any("step" not in row for row in rows):
        raise TrainingError(f"{path} is not the log of a run (it has no column step): move it away.")
    return rows
