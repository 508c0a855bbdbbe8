"""What is compared: a model with its cost and its figures on each left-out source; kept in a file once it is known."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import dacite

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError
from dfer_ros.training.data.manifest import ALL_VIDEOS
from dfer_ros.training.head.left_out import ComparisonRow


@dataclass(frozen=True)
class ComparedModel:
    """encoder_parameters, parameters: trained ones of the frame encoder, and of what reads its output or the clip.

    multiply_adds: for one face and a second of video, no number where nobody counts them.
    rows: of each source and of all videos, in plain order.
    """

    name: str
    encoder_parameters: int
    parameters: int
    multiply_adds: float
    rows: tuple[ComparisonRow, ...]

    def row(self, source: str) -> ComparisonRow | None:
        """Return the figures on a source or on ALL_VIDEOS, None where there are no such clips."""
        return next((row for row in self.rows if row.source == source), None)

    @property
    def counted(self) -> bool:
        """Whether its multiply-adds are counted."""
        return math.isfinite(self.multiply_adds)

    @property
    def sources(self) -> dict[str, ComparisonRow]:
        """The figures by source."""
        return {row.source: row for row in self.rows if row.source != ALL_VIDEOS}


def sources_won(model: ComparedModel, baseline: ComparedModel) -> tuple[int, int]:
    """Return on how many sources the UAR of a model is above that of another, and on how many below."""
    others = baseline.sources
    pairs = [(row.uar, others[source].uar) for source, row in model.sources.items() if source in others]
    return sum(one > other for one, other in pairs), sum(one < other for one, other in pairs)


def kept_result(path: Path, measure: Callable[[], ComparedModel]) -> ComparedModel:
    """Return what is in a file; where there is none, measure it and write the file.

    Raises TrainingError where the file is damaged or cannot be written.
    """
    if not path.is_file():
        content = json.dumps(asdict(measure()), indent=1)
        with whole_path(path) as part:
            part.write_text(content + "\n", encoding="utf-8")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return dacite.from_dict(ComparedModel, content, dacite.Config(cast=[tuple]))
    except (OSError, ValueError, dacite.DaciteError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): delete it, and it is measured again.") from error


def of_all(models: Sequence[ComparedModel]) -> list[str]:
    """Return the sources on which any model was measured, in their order."""
    return list(dict.fromkeys(source for model in models for source in model.sources))
