"""The comparison for people: Markdown, a CSV file, a table in the terminal, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.text.tables import Table, csv_text, markdown_table, rich_table, table_of
from dfer_ros.text.wording import in_percent, two_in_percent
from dfer_ros.training.data.manifest import ALL_VIDEOS, CK_PLUS_SOURCE
from dfer_ros.training.experiments.comparison.plot import plot_models
from dfer_ros.training.experiments.comparison.results import ComparedModel, of_all, sources_won
from dfer_ros.training.head.left_out import ComparisonRow

MARKDOWN_FILE, CSV_FILE, PICTURE_FILE = "comparison.md", "comparison.csv", "comparison.png"

_NONE = "-"
_DESCRIPTORS = (
    "Handcrafted descriptors run once on a clip, under a linear support vector machine. Their multiply-adds are not "
    "counted: `dfer bench descriptors` measures their time and bytes.\n"
)


def write_report(
    models: Sequence[ComparedModel], absent: Sequence[str], frame_rate: float, folder: Path, console: Console
) -> None:
    """Write the comparison into a folder; the first model is the one that the others win against or lose to.

    absent: sentences on what is not there. frame_rate: Hz. Raises TrainingError where it cannot be written.
    """
    title = "Every figure by a model that never saw the source"
    rows = [_cells(model, models[0]) for model in models]
    figures = table_of(_headings(models[0], frame_rate), rows, title=title)
    with whole_path(folder / PICTURE_FILE) as part:
        plot_models(part, models, frame_rate)
    with whole_path(folder / CSV_FILE) as part:
        part.write_text(_csv(models), encoding="utf-8")
    with whole_path(folder / MARKDOWN_FILE) as part:
        part.write_text(_markdown(models, figures, absent), encoding="utf-8")
    console.print(rich_table(figures))


def _headings(baseline: ComparedModel, frame_rate: float) -> list[str]:
    return [
        "model",
        "trained parameters, encoder",
        "trained parameters, head or 3D CNN",
        f"multiply-adds per second at {frame_rate:g} Hz (billion)",
        "videos UAR / WAR (%)",
        "CK+ at its end UAR / WAR (%)",
        f"sources won / lost against {baseline.name}",
    ]


def _cells(model: ComparedModel, baseline: ComparedModel) -> list[str]:
    won, lost = sources_won(model, baseline)
    return [
        model.name,
        f"{model.encoder_parameters:,}" if model.encoder_parameters else _NONE,
        f"{model.parameters:,}",
        f"{model.multiply_adds / 1e9:.3g}" if model.counted else _NONE,
        _recalls(model.row(ALL_VIDEOS)),
        _recalls(model.row(CK_PLUS_SOURCE)),
        _NONE if model is baseline else f"{won} / {lost}",
    ]


def _recalls(row: ComparisonRow | None) -> str:
    return _NONE if row is None else two_in_percent(row.uar, row.war)


def _markdown(models: Sequence[ComparedModel], figures: Table, absent: Sequence[str]) -> str:
    sources = of_all(models)
    counts = {source: row.clips for model in models for source, row in model.sources.items()}
    by_clips = [f"{source} ({counts[source]} clips)" for source in sources]
    by_source = [
        [model.name, *(in_percent(model.sources[one].uar) if one in model.sources else _NONE for one in sources)]
        for model in models
    ]
    return "\n".join(
        [
            "# Comparison\n",
            "All models were trained and measured on the same clips. Each source was answered by a model that never "
            "saw it; of the 3D CNN the sources of a fold are left out together. A video is answered by the mean of its "
            "probabilities, a CK+ sequence by the answer that stands at its end.\n",
            markdown_table(figures),
            f"![UAR over multiply-adds]({PICTURE_FILE})\n",
            "Heads run once per frame on a window of embeddings, and the encoder once per frame. A clip model runs "
            "on a whole window for each answer.\n",
            *([_DESCRIPTORS] if any(not model.counted for model in models) else []),
            *(f"{sentence}\n" for sentence in absent),
            "## UAR by left-out source (%)\n",
            markdown_table(table_of(["model", *by_clips], by_source)),
        ]
    )


def _csv(models: Sequence[ComparedModel]) -> str:
    costs = ("model", "encoder_parameters", "parameters", "multiply_adds_per_second")
    rows = [
        (
            model.name,
            model.encoder_parameters,
            model.parameters,
            model.multiply_adds,
            row.source,
            row.clips,
            row.war,
            row.uar,
            row.loss,
        )
        for model in models
        for row in model.rows
    ]
    return csv_text([*costs, "source", "clips", "war", "uar", "loss"], rows)
