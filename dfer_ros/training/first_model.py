"""Make the first model folder from a trained still-image encoder: quantise, add a head, calibrate, measure.

python -m dfer_ros.training.first_model --encoder reference_encoder.onnx --data DATA --output models/efficientnet_lite0
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from rich.console import Console

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.encoder import preprocess
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model_folder import (
    DESCRIPTION_FILE,
    HEAD_FILE,
    PRECISIONS,
    ModelDescription,
    encoder_file,
    file_sha256,
)
from dfer_ros.core.onnx_session import SessionConfig, create_session
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.training.compression.quantisation import convert_fp16, quantise_int8
from dfer_ros.training.data_packs import LabelledStills, calibration_crops, ferplus_validation
from dfer_ros.training.evaluation.calibration import expected_calibration_error, fit_temperature
from dfer_ros.training.evaluation.clip_answers import (
    ClipAnswer,
    answer_clips,
    answers_and_labels,
    frame_rows,
    groups,
)
from dfer_ros.training.evaluation.metrics import accuracy, unweighted_average_recall
from dfer_ros.training.heads.weighted_mean_head import export_weighted_mean_head

SEED = 0
CLIPS_FILE = "dynamic_clips.zip"
CALIBRATION_CROPS = 384
DECAY_SECONDS = 0.8

DESCRIPTION = ModelDescription(
    labels=LABELS,
    crop=88,
    input_size=96,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    window_seconds=2.0,
    window_frames=32,
    temperature=1.0,
    unknown_threshold=0.35,
    sha256={},
    training={
        "encoder": "EfficientNet-Lite0 from ImageNet weights, on affectnet7, FER+ votes and lfw_expr at 96 pixels",
        "head": f"mean of logits weighted by quality and exp(-age / {DECAY_SECONDS} s), not trained",
        "int8": f"static QDQ, per channel, percentile, {CALIBRATION_CROPS} training stills, seed {SEED}",
        "temperature": "fitted on the frames of the videos of dynamic_clips, every clip weighing the same",
    },
)


def make_first_model(encoder: Path, data: Path, output: Path) -> None:
    """Write the model folder: encoders, head, model.yaml with sha256, temperature and metrics."""
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(encoder, output / encoder_file("fp32"))
    convert_fp16(encoder, output / encoder_file("fp16"))
    crops = calibration_crops(data, CALIBRATION_CROPS, SEED)
    quantise_int8(encoder, output / encoder_file("int8"), crops, DESCRIPTION)
    export_weighted_mean_head(encoder, output / HEAD_FILE, DECAY_SECONDS)
    files = [HEAD_FILE, *(encoder_file(precision) for precision in PRECISIONS)]
    description = replace(DESCRIPTION, sha256={name: file_sha256(output / name) for name in files})
    _write(output, description)

    stills = ferplus_validation(data)
    metrics: dict[str, Any] = {"ferplus_validation": {p: _measure_stills(output, p, stills) for p in PRECISIONS}}
    # At temperature 1 the logarithm of the probabilities is the head's logits up to a constant.
    answers = answer_clips(data / CLIPS_FILE, create_detector(DetectorConfig()), _recognizer(output))
    videos = [answer for answer in answers if not answer.sequence]
    temperature = _fit(videos)
    metrics["ece_left_out_source"] = _left_out_calibration_error(videos)
    _write(output, replace(description, temperature=round(temperature, 3)))
    answers = answer_clips(data / CLIPS_FILE, create_detector(DetectorConfig()), _recognizer(output))
    metrics["dynamic_clips"] = measure_clips(answers)
    _write(output, replace(description, temperature=round(temperature, 3), metrics=metrics))


def measure_clips(answers: list[ClipAnswer]) -> dict[str, Any]:
    """Return WAR and UAR in percent by source: videos by their mean, sequences by the answer at their end."""
    measured = {}
    for name, group in groups(answers).items():
        measured[name] = {"clips": len(group), **_recalls(*answers_and_labels(group))}
    return measured


def _measure_stills(folder: Path, precision: str, stills: LabelledStills) -> dict[str, float]:
    session = create_session(folder / encoder_file(precision), SessionConfig(threads=2))
    rows = []
    for start in range(0, len(stills.crops), 64):
        batch = preprocess(stills.crops[start : start + 64], DESCRIPTION)
        rows.append(session.run(["logits"], {"image": batch})[0])
    return {"stills": len(stills.labels), **_recalls(np.concatenate(rows).argmax(axis=1), stills.labels)}


def _recalls(predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> dict[str, float]:
    return {
        "war": round(100 * accuracy(predicted, labels), 1),
        "uar": round(100 * unweighted_average_recall(predicted, labels), 1),
    }


def _recognizer(folder: Path) -> Recognizer:
    return Recognizer(RecognizerConfig(model=str(folder.resolve()), precision="int8"))


def _logits(probabilities: FloatArray) -> FloatArray:
    return np.log(np.maximum(probabilities, 1e-9))


def _fit(answers: list[ClipAnswer]) -> float:
    probabilities, labels, weights = frame_rows(answers)
    return fit_temperature(_logits(probabilities), labels, weights)


def _left_out_calibration_error(answers: list[ClipAnswer]) -> dict[str, float]:
    """Return the ECE of all frames, those of each source with a temperature fitted on the other sources."""
    rows, labels, weights = [], [], []
    for source in sorted({answer.source for answer in answers}):
        temperature = _fit([answer for answer in answers if answer.source != source])
        part = frame_rows([answer for answer in answers if answer.source == source])
        rows.append(calibrated_probabilities(_logits(part[0]), temperature))
        labels.append(part[1])
        weights.append(part[2])
    error = expected_calibration_error(np.concatenate(rows), np.concatenate(labels), np.concatenate(weights))
    return {"ece": round(error, 3)}


def _write(folder: Path, description: ModelDescription) -> None:
    content = asdict(description)
    for key in ("labels", "mean", "std"):
        content[key] = list(content[key])
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True, help="trained FP32 encoder with embedding and logits")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data packs")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    arguments = parser.parse_args()
    make_first_model(arguments.encoder, arguments.data, arguments.output)
    Console().print((arguments.output / DESCRIPTION_FILE).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
