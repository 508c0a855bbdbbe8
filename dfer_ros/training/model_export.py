"""A model folder from its parts: compressed encoders, a trained head, a temperature, and what was measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from dfer_ros.core.atomic_file import whole_folder
from dfer_ros.core.errors import ModelError, TrainingError, first_line
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.folder import (
    DESCRIPTION_FILE,
    HEAD_FILE,
    PRECISIONS,
    ModelDescription,
    encoder_file,
    file_sha256,
    read_yaml,
)
from dfer_ros.training.compression.report import JSON_FILE
from dfer_ros.training.encoder.trained_encoder import MEAN, STD
from dfer_ros.training.evaluation.evaluate_model import (
    EvaluationConfig,
    EvaluationResults,
    check_inputs,
    evaluate_model,
)
from dfer_ros.training.evaluation.left_out import ANSWERS_FILE
from dfer_ros.training.evaluation.metrics import ClassificationMetrics
from dfer_ros.training.head.run import CALIBRATION_FILE
from dfer_ros.training.head.training import HeadTrainingConfig


@dataclass(frozen=True)
class ModelExportConfig:
    """encoders: folder that `dfer compress` wrote. head: folder of the head's run.

    clips, stills: to measure on, see EvaluationConfig. unknown_threshold: where the head's run has none of its own.
    """

    encoders: Path
    head: Path
    clips: tuple[Path, ...]
    stills: tuple[Path, ...]
    unknown_threshold: float = 0.35


def export_model(config: ModelExportConfig, output: Path, console: Console) -> EvaluationResults:
    """Write a model folder and return what was measured on it.

    Its files appear when all is measured, or not at all. Raises TrainingError where a part is missing or the folder
    cannot be written, DataError for stills or clips that are not there, ModelError for parts that do not fit.
    """
    parts = {encoder_file(precision): config.encoders / encoder_file(precision) for precision in PRECISIONS}
    parts[HEAD_FILE] = config.head / HEAD_FILE
    if (config.head / ANSWERS_FILE).is_file():
        parts[ANSWERS_FILE] = config.head / ANSWERS_FILE
    for path in (*parts.values(), config.encoders / JSON_FILE, config.head / CALIBRATION_FILE):
        if not path.is_file():
            raise TrainingError(f"There is no {path}: make encoders with 'dfer compress' and heads with 'dfer train'.")
    check_inputs(config.stills, config.clips)
    with whole_folder(output) as folder:
        try:
            return _measured(config, parts, folder, console)
        except ModelError as error:
            # The user knows the folder by its name only.
            raise ModelError(str(error).replace(str(folder.resolve()), str(output))) from error


def _measured(config: ModelExportConfig, parts: dict[str, Path], folder: Path, console: Console) -> EvaluationResults:
    """Write the model into a folder, measure it there, and write down what was measured."""
    for name, path in parts.items():
        shutil.copyfile(path, folder / name)
    description = _description(config, folder, list(parts))
    _write_description(folder, description)
    measured = EvaluationConfig(str(folder.resolve()), stills=config.stills, clips=config.clips)
    results = evaluate_model(measured, console)
    _write_description(folder, replace(description, metrics={**description.metrics, **summary(results)}))
    return results


def summary(results: EvaluationResults) -> dict[str, Any]:
    """Return the recalls in percent on stills and clips that model.yaml keeps."""
    size = results.input_size
    stills = {
        one.name: {precision: _recalls(encoder.by_size[size]) for precision, encoder in one.by_precision.items()}
        for one in results.stills
    }
    if results.clips is None:
        return {"stills": stills}
    first = next(iter(results.clips.by_precision.values()))
    return {"stills": stills, "clips": {name: _recalls(group.metrics) for name, group in first.items()}}


def _recalls(metrics: ClassificationMetrics) -> dict[str, float]:
    return {
        "count": metrics.count,
        "war": round(100 * metrics.accuracy, 1),
        "uar": round(100 * metrics.uar, 1),
    }


def _description(config: ModelExportConfig, folder: Path, files: list[str]) -> ModelDescription:
    """Return what is known before measuring; the temperature is that of clips whose source the head had not seen."""
    compressed = _said_in(config.encoders / JSON_FILE, _read_json, ("crop", "input_size", "variants"))
    left_out = _said_in(config.head / CALIBRATION_FILE, read_yaml, ("temperature",))
    # Heads of older versions do not say for which window they were trained: it was that of the defaults.
    defaults = {"seconds": HeadTrainingConfig.window_seconds, "frames": HeadTrainingConfig.window_frames}
    window = {**defaults, **left_out.pop("window", {})}
    how = {variant["name"]: variant["how"] for variant in compressed["variants"] if variant["name"] in PRECISIONS}
    return ModelDescription(
        labels=LABELS,
        crop=compressed["crop"],
        input_size=compressed["input_size"],
        mean=MEAN,
        std=STD,
        window_seconds=window["seconds"],
        window_frames=window["frames"],
        temperature=left_out["temperature"],
        unknown_threshold=left_out.get("unknown", {}).get("threshold", config.unknown_threshold),
        sha256={name: file_sha256(folder / name) for name in files},
        training=how,
        metrics={"left_out_source": left_out},
    )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _said_in(path: Path, read: Callable[[Path], Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return what a file says that another command left."""
    try:
        content = read(path)
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} cannot be read, make it again: {first_line(error)}.") from error
    missing = [key for key in keys if key not in content] if isinstance(content, dict) else keys
    if missing:
        raise TrainingError(f"{path} does not say {' and '.join(missing)}: make it again.")
    return dict(content)


def _write_description(folder: Path, description: ModelDescription) -> None:
    content = asdict(description)
    for key in ("labels", "mean", "std"):
        content[key] = list(content[key])
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")
