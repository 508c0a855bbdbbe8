"""The report of an evaluation: report.md, its pictures, and metrics.json, in a folder."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.training.evaluation.clips_section import clips_section
from dfer_ros.training.evaluation.cost_section import cost_section
from dfer_ros.training.evaluation.evaluate_model import EvaluationResults
from dfer_ros.training.evaluation.stills_section import stills_section
from dfer_ros.training.evaluation.summary_section import summary_section

REPORT_FILE = "report.md"
METRICS_FILE = "metrics.json"


@contextlib.contextmanager
def report_folder(output: Path) -> Iterator[Path]:
    """Yield a folder beside `output` whose files are moved into it when the `with` ends well, and not otherwise.

    Raises DataError where files cannot be written there.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=output))
    except OSError as error:
        raise DataError(f"The folder {output} cannot be written: {error.strerror}.") from error
    try:
        yield part
        for file in sorted(part.iterdir()):
            file.replace(output / file.name)
    except OSError as error:
        raise DataError(f"The report cannot be written to {output}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            output.rmdir()  # goes only while it is empty


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
