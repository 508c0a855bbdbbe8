"""The variants side by side: a table in Markdown and JSON, and a picture."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl
import onnxruntime
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.text.tables import Table, markdown_table, table_of
from dfer_ros.training.compression.variants import Variant

MARKDOWN_FILE, JSON_FILE, PLOT_FILE = "compression.md", "compression.json", "compression.png"
_LEAST_POINTS = 4.0
"""Of the axis of the accuracy."""


def figures(variants: list[Variant]) -> Table:
    """Return a row of figures for each variant."""
    title = "Variants: one face, one thread, all timed in turn in one run"
    return table_of(_headings(variants), [_cells(variant) for variant in variants], title=title)


def write_report(variants: list[Variant], output: Path, crop: int, input_size: int) -> None:
    """Write compression.md, compression.json and compression.png. Raises TrainingError where they cannot be."""
    texts = {MARKDOWN_FILE: _markdown(variants, input_size), JSON_FILE: _json(variants, crop, input_size)}
    for name, text in texts.items():
        with whole_path(output / name) as part:
            part.write_text(text, encoding="utf-8")
    with whole_path(output / PLOT_FILE) as part:
        plot(variants, part, input_size)


def plot(variants: list[Variant], path: Path, input_size: int) -> None:
    """Draw accuracy over time per face, and the sizes of the files."""
    with mpl.rc_context({"font.size": 10}):
        figure = Figure(figsize=(12, 5.6), dpi=110, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _plot_accuracy(left, variants, input_size)
        colours = [f"C{number}" for number in range(len(variants))]
        bars = right.barh([one.name for one in variants], [one.megabytes for one in variants], color=colours)
        right.bar_label(bars, fmt="%.1f MB", padding=3)
        right.invert_yaxis()
        right.margins(x=0.2)
        right.set(title="Size of the file", xlabel="megabytes")
        figure.savefig(path, format="png")


def _plot_accuracy(axes: Axes, variants: list[Variant], input_size: int) -> None:
    for number, variant in enumerate(variants):
        label = f"{variant.name}: {variant.milliseconds:.2f} ms, {variant.speed_up:.2f} times as fast as fp32"
        place = (variant.milliseconds, variant.accuracy.mean_war)
        axes.plot(*place, "o", markersize=11, color=f"C{number}", label=label)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False, fontsize=9)
    axes.set_xlim(0, 1.1 * max(variant.milliseconds for variant in variants))
    axes.margins(y=0.25)
    low, high = axes.get_ylim()
    # A tenth of a point shall not look like much.
    room = max(_LEAST_POINTS - (high - low), 0.0) / 2
    axes.set_ylim(low - room, high + room)
    axes.grid(alpha=0.3)
    axes.set(
        title=f"Accuracy and time at {input_size} pixels",
        xlabel="milliseconds per face, one thread",
        ylabel="mean WAR of the validation sets (%)",
    )


def _headings(variants: list[Variant]) -> list[str]:
    sets = [f"{name} WAR / UAR" for name in variants[0].accuracy.war]
    return ["variant", "MB", "ms", "speed-up", *sets, "lost", "same %"]


def _cells(variant: Variant) -> list[str]:
    accuracy = variant.accuracy
    sets = [f"{war:.2f} / {accuracy.uar[name]:.2f}" for name, war in accuracy.war.items()]
    times = [f"{variant.megabytes:.2f}", f"{variant.milliseconds:.3f}", f"{variant.speed_up:.2f}"]
    return [variant.name, *times, *sets, f"{variant.lost:+.2f}", f"{accuracy.agreement:.1f}"]


def _markdown(variants: list[Variant], input_size: int) -> str:
    made = [f"- `{variant.file}`: {variant.how}." for variant in variants]
    told = (
        f"One face at {input_size} pixels, one thread, network only, median; all variants timed in turn in one run on "
        f"{platform.machine()} with ONNX Runtime {onnxruntime.__version__}. WAR and UAR in percent; "
        "lost: points of the mean WAR against fp32; same: answers that are those of fp32."
    )
    return "\n".join(
        ["# Compression", "", told, "", markdown_table(figures(variants)), *made, "", f"![variants]({PLOT_FILE})", ""]
    )


def _json(variants: list[Variant], crop: int, input_size: int) -> str:
    content = {"crop": crop, "input_size": input_size, "variants": [asdict(variant) for variant in variants]}
    return json.dumps(content, indent=2) + "\n"
