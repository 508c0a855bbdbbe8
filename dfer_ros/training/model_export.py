"""A model folder from its parts: compressed encoders, a trained head, a temperature, and what was measured."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model_folder import (
    DESCRIPTION_FILE,
    HEAD_FILE,
    PRECISIONS,
    ModelDescription,
    encoder_file,
    file_sha256,
)
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.training.evaluation.calibration import fit_temperature
from dfer_ros.training.evaluation.clip_answers import answer_clips, frame_rows
from dfer_ros.training.evaluation.clips import logits_of
from dfer_ros.training.evaluation.evaluate_model import EvaluationConfig, EvaluationResults, evaluate_model
from dfer_ros.training.evaluation.metrics import ClassificationMetrics
from dfer_ros.training.trained_encoder import MEAN, STD
from dfer_ros.training.whole_path import whole_path

_CALIBRATED = "int8"


@dataclass(frozen=True)
class ModelExportConfig:
    """encoders: folder with encoder_fp32.onnx, encoder_fp16.onnx and encoder_int8.onnx. head: file head.onnx.

    clips: zip file or folder of labelled clips; its videos give the temperature. stills: prepared sets to measure on.
    crop, input_size: pixels. training: words on how the parts were made, by part.
    """

    encoders: Path
    head: Path
    clips: Path
    stills: tuple[Path, ...]
    crop: int
    input_size: int
    window_seconds: float = 2.0
    window_frames: int = 32
    unknown_threshold: float = 0.35
    training: dict[str, str] | None = None


def export_model(config: ModelExportConfig, output: Path, console: Console) -> EvaluationResults:
    """Write a model folder and return what was measured on it.

    Raises TrainingError where a part is missing or the folder cannot be written.
    """
    parts = {encoder_file(precision): config.encoders / encoder_file(precision) for precision in PRECISIONS}
    parts[HEAD_FILE] = config.head
    for path in parts.values():
        if not path.is_file():
            raise TrainingError(f"There is no {path}: make encoders with 'dfer compress' and heads with 'dfer train'.")
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, path in parts.items():
            shutil.copyfile(path, output / name)
    except OSError as error:
        raise TrainingError(f"The model folder {output} cannot be written: {error.strerror}.") from error
    description = _description(config, output, list(parts))
    _write(output, description)
    description = replace(description, temperature=round(_temperature(config, output), 3))
    _write(output, description)
    results = evaluate_model(EvaluationConfig(str(output.resolve()), stills=config.stills, clips=config.clips), console)
    _write(output, replace(description, metrics=summary(results)))
    return results


def summary(results: EvaluationResults) -> dict[str, Any]:
    """Return the figures that model.yaml keeps: recalls in percent on stills and clips, and the calibration error."""
    size = results.input_size
    stills = {
        one.name: {precision: _recalls(encoder.by_size[size]) for precision, encoder in one.by_precision.items()}
        for one in results.stills
    }
    if results.clips is None:
        return stills
    first = next(iter(results.clips.by_precision.values()))
    clips = {name: _recalls(group.metrics) for name, group in first.items()}
    left_out = results.clips.left_out
    error = {} if left_out is None else {"ece_left_out_source": round(left_out.frames.ece, 3)}
    return {**stills, "dynamic_clips": clips, **error}


def _recalls(metrics: ClassificationMetrics) -> dict[str, float]:
    return {
        "count": metrics.count,
        "war": round(100 * metrics.accuracy, 1),
        "uar": round(100 * metrics.uar, 1),
    }


def _description(config: ModelExportConfig, folder: Path, files: list[str]) -> ModelDescription:
    return ModelDescription(
        labels=LABELS,
        crop=config.crop,
        input_size=config.input_size,
        mean=MEAN,
        std=STD,
        window_seconds=config.window_seconds,
        window_frames=config.window_frames,
        temperature=1.0,
        unknown_threshold=config.unknown_threshold,
        sha256={name: file_sha256(folder / name) for name in files},
        training=dict(config.training or {}),
    )


def _temperature(config: ModelExportConfig, folder: Path) -> float:
    """Return the temperature fitted on the frames of the videos, every clip weighing the same."""
    recognizer = Recognizer(RecognizerConfig(model=str(folder.resolve()), precision=_CALIBRATED))
    answers = answer_clips(config.clips, create_detector(DetectorConfig()), recognizer)
    probabilities, labels, weights = frame_rows([answer for answer in answers if not answer.sequence])
    return fit_temperature(logits_of(probabilities), labels, weights)


def _write(folder: Path, description: ModelDescription) -> None:
    content = asdict(description)
    for key in ("labels", "mean", "std"):
        content[key] = list(content[key])
    with whole_path(folder / DESCRIPTION_FILE) as part:
        part.write_text(yaml.safe_dump(content, sort_keys=False, width=110), encoding="utf-8")
