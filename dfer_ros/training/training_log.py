"""The log of a run: a CSV file, and its curves as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

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
        path = self._folder / LOG_FILE
        part = path.with_suffix(".part")
        try:
            with part.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows({name: f"{value:.6g}" for name, value in one.items()} for one in self.rows)
            part.replace(path)
            draw_curves(self.rows, self._folder / CURVES_FILE)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise TrainingError(f"{path} cannot be written: {error.strerror}.") from error


def draw_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Draw the losses (one panel) and the accuracies (another) of a log over its steps."""
    import matplotlib  # here: it takes a second, and a run logs late

    matplotlib.use("Agg")
    from matplotlib import pyplot

    losses = [name for name in rows[0] if "loss" in name]
    others = [name for name in rows[-1] if name not in losses and name not in ("step", "learning_rate")]
    figure, panels = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for panel, names, title in zip(panels, (losses, others), ("Loss", "Validation (%)")):
        for name in names:
            points = [(row["step"], row[name]) for row in rows if name in row]
            panel.plot(*zip(*points), marker="o", markersize=3, label=name.replace("_", " "))
        panel.set(title=title, xlabel="Step")
        panel.grid(alpha=0.3)
        if names:
            panel.legend(fontsize=8)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _read(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (ValueError, TypeError) as error:
            raise TrainingError(f"{path} is not the log of a run ({error}): move it away.") from error
