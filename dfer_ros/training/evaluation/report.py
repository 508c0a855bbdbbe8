"""The report of an evaluation: report.md, its pictures, and metrics.json, in a folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from dfer_ros.training.evaluation.clips_section import clips_section
from dfer_ros.training.evaluation.cost_section import cost_section
from dfer_ros.training.evaluation.evaluate_model import EvaluationResults
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
