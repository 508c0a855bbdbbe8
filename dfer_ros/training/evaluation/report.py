"""The report of an evaluation: report.md, its pictures, and metrics.json, in a folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from dfer_ros.text.tables import markdown_table, table_of
from dfer_ros.training.evaluation.clips_section import clips_section
from dfer_ros.training.evaluation.cost import COUNTED
from dfer_ros.training.evaluation.evaluate_model import EvaluationResults
from dfer_ros.training.evaluation.model_cost import BATCHES
from dfer_ros.training.evaluation.stills_section import stills_section
from dfer_ros.training.evaluation.summary_section import summary_section

REPORT_FILE = "report.md"
METRICS_FILE = "metrics.json"


def write_report(results: EvaluationResults, folder: Path) -> None:
    """Write the report, its pictures and metrics.json into a folder."""
    sections = [summary_section(results)]
    for stills in results.stills:
        sections.append(stills_section(results, stills, folder))
    if results.clips is not None:
        sections.append(clips_section(results, results.clips, folder))
    sections.append(cost_section(results))
    (folder / REPORT_FILE).write_text("\n".join(sections), encoding="utf-8")
    (folder / METRICS_FILE).write_text(json.dumps(asdict(results), indent=1), encoding="utf-8")


def cost_section(results: EvaluationResults) -> str:
    """Return the section on cost."""
    cost = results.cost
    per_second = cost.multiply_adds_per_second / 1e9
    slowest = cost.milliseconds.get("fp32", {}).get(1)
    rows = []
    for name, network in cost.networks.items():
        times = cost.milliseconds[name]
        rows.append(
            [
                name,
                f"{network.parameters / 1e6:.3f}",
                f"{network.multiply_adds / 1e6:.2f}",
                f"{2e-9 * network.multiply_adds:.4f}",
                f"{network.file_bytes / 1e6:.2f}",
                *(f"{times[batch] / batch:.3f}" if batch in times else "" for batch in BATCHES),
                f"{slowest / times[1]:.2f}" if slowest and name in results.precisions else "",
            ]
        )
    headings = ["network", "million parameters", "million multiply-adds", "GFLOPs", "file, MB"]
    headings += [f"ms per face, batch {batch}" for batch in BATCHES]
    return f"""## Cost

{markdown_table(table_of([*headings, "times FP32's speed"], rows))}
Encoder at {cost.input_size} pixels for one face and frame; head over a full window of {cost.window_frames} frames
for one person. One multiply-add is two floating-point operations; counted are those of {", ".join(COUNTED)}, all else
is passed over. Times are medians on this computer, one thread, network alone, all networks in turn in one run.

One second of video at {cost.frame_rate:g} Hz, streaming, one face: **{per_second:.2f} G multiply-adds**
({2 * per_second:.2f} GFLOPs): every frame passes the encoder once and the head once.
"""
