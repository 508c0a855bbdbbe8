"""The part of the report about one set of stills."""

from __future__ import annotations

from pathlib import Path

from dfer_ros.core.labels import LABELS
from dfer_ros.text.tables import markdown_table, table_of
from dfer_ros.text.wording import in_percent, two_in_percent
from dfer_ros.training.evaluation.evaluate_model import EvaluationResults
from dfer_ros.training.evaluation.metrics import ClassificationMetrics
from dfer_ros.training.evaluation.plots import (
    plot_confusion,
    plot_reliability,
    plot_resolutions,
    plot_selective_risk,
)
from dfer_ros.training.evaluation.stills import StillResults


def stills_section(results: EvaluationResults, stills: StillResults, folder: Path) -> str:
    """Return the section on a set of stills and draw its pictures."""
    size, first = results.input_size, results.precisions[0]
    main = stills.by_precision[first]
    name = f"stills_{stills.name}"
    subject = f"{stills.name} {stills.split}, {first}, {size} px"
    plot_confusion(folder / f"{name}_confusion.png", main.by_size[size], subject)
    curves = {precision: one.by_size for precision, one in stills.by_precision.items()}
    plot_resolutions(folder / f"{name}_resolutions.png", curves, size, f"{stills.name} {stills.split} by resolution")
    plot_reliability(folder / f"{name}_reliability.png", main.calibration, f"{subject}, calibrated")
    risks = {precision: one.calibration for precision, one in stills.by_precision.items()}
    plot_selective_risk(folder / f"{name}_selective_risk.png", risks, f"{stills.name} {stills.split}: worth of doubt")

    by_name = {precision: one.by_size[size] for precision, one in stills.by_precision.items()} | stills.peers
    return f"""## Stills: {stills.name}, {stills.split} split, {stills.count} stills

{metrics_table(by_name)}
{_hard_table(stills)}### By class, {first}

{_class_table(main.by_size[size])}
![Confusion matrix of {stills.name}]({name}_confusion.png)

Rows are labels, columns are answers, numbers count stills; the colour is the share of the row.
A good model is dark on the diagonal only.

### By resolution

{_resolution_table(stills)}
![WAR and UAR of {stills.name} by resolution]({name}_resolutions.png)

The same weights at other input sizes. A flat curve means that a robot may choose the size by its speed.

### Calibration

{_calibration_table(stills)}
![Reliability of {stills.name}]({name}_reliability.png)

Bars on the dashed line are honest; below it the model is too sure, above it too modest.
The upper panel counts the stills.

![Errors of {stills.name} over coverage]({name}_selective_risk.png)

Errors among the surest answers. The further the curve falls to the left, the more it is worth to say `unknown` when
unsure.
"""


def _hard_table(stills: StillResults) -> str:
    """Return the recalls on the stills that a list of the set names as hard; nothing where there is no list."""
    if not stills.hard:
        return ""
    columns = list(next(iter(stills.hard.values())))
    rows = [
        [
            tag,
            str(of_tag[columns[0]].count),
            *(two_in_percent(of_tag[one].accuracy, of_tag[one].uar) for one in columns),
        ]
        for tag, of_tag in stills.hard.items()
    ]
    return f"### Hard stills\n\n{markdown_table(table_of(['WAR / UAR, %', 'stills', *columns], rows))}\n"


def metrics_table(by_name: dict[str, ClassificationMetrics]) -> str:
    """Return one row of metrics for each name."""
    headings = ["", "WAR %", "UAR %", "macro F1 %", "micro F1 %", "weighted F1 %"]
    rows = [
        [name, *map(in_percent, (one.accuracy, one.uar, one.macro_f1, one.micro_f1, one.weighted_f1))]
        for name, one in by_name.items()
    ]
    return markdown_table(table_of(headings, rows))


def _class_table(metrics: ClassificationMetrics) -> str:
    rows = [
        [
            label,
            str(metrics.support[number]),
            _share(metrics, metrics.recall, number),
            _share(metrics, metrics.precision, number),
        ]
        for number, label in enumerate(LABELS)
    ]
    return markdown_table(table_of(["class", "stills", "recall %", "precision %"], rows))


def _share(metrics: ClassificationMetrics, shares: tuple[float, ...], label: int) -> str:
    """Return a share of a class, or nothing for a class that does not occur."""
    return in_percent(shares[label]) if metrics.support[label] else ""


def _resolution_table(stills: StillResults) -> str:
    sizes = list(next(iter(stills.by_precision.values())).by_size)
    rows = []
    for precision, one in stills.by_precision.items():
        rows.append([f"{precision}, WAR %", *(in_percent(one.by_size[size].accuracy) for size in sizes)])
        rows.append([f"{precision}, UAR %", *(in_percent(one.by_size[size].uar) for size in sizes)])
    return markdown_table(table_of(["pixels", *map(str, sizes)], rows))


def _calibration_table(stills: StillResults) -> str:
    headings = ["", "ECE before", "ECE", "Brier before", "Brier", "errors at 100 %", "errors at 80 % coverage"]
    rows = []
    for precision, result in stills.by_precision.items():
        one = result.calibration
        scores = [f"{value:.3f}" for value in (one.ece_before, one.ece, one.brier_before, one.brier)]
        rows.append([precision, *scores, in_percent(one.error), in_percent(one.error_at_80)])
    return markdown_table(table_of(headings, rows)) + (
        "\nWhat the robot answers to one frame, by the head, before and after division of its logits by the model's "
        "temperature.\n"
    )
