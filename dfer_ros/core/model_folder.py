"""A model folder: what model.yaml says about the files beside it, and whether they are the files it speaks of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import ModelError
from dfer_ros.core.labels import LABELS
from dfer_ros.core.share import share_directory

DESCRIPTION_FILE = "model.yaml"
HEAD_FILE = "head.onnx"
PRECISIONS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class ModelDescription:
    """The top-level keys of model.yaml.

    labels: the model's classes in the order of its logits.
    crop: side in pixels of the central part of the 128 pixel aligned crop that the encoder sees.
    input_size: side in pixels to which that part is scaled.
    mean, std: RGB, of pixels scaled to 0..1.
    window_seconds, window_frames: longest time span and most frames of a person's window.
    temperature: divisor of the head's logits that calibrates them.
    unknown_threshold: probability below which no expression is named.
    sha256: hex digest by file name.
    """

    labels: tuple[str, ...]
    crop: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    window_seconds: float
    window_frames: int
    temperature: float
    unknown_threshold: float
    sha256: dict[str, str]
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a readable model.yaml."""

    path: Path
    description: ModelDescription

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions whose encoder is in the folder."""
        return tuple(precision for precision in PRECISIONS if (self.path / encoder_file(precision)).is_file())

    def verified(self, name: str) -> Path:
        """Return the path of a file of this folder whose sha256 is the one of model.yaml, else raise ModelError."""
        path = self.path / name
        if not path.is_file():
            raise ModelError(f"The model file {path} is missing: install the package again or correct 'model'.")
        expected = self.description.sha256.get(name)
        if expected is None:
            raise ModelError(
                f"{self.path / DESCRIPTION_FILE} has no sha256 for {name}: add it, so that damage is seen."
            )
        if file_sha256(path) != expected:
            raise ModelError(
                f"The model file {path} is damaged: its sha256 is not the one in {DESCRIPTION_FILE}. "
                "Copy it again or install the package again."
            )
        return path


def encoder_file(precision: str) -> str:
    """Return the file name of the encoder of a precision."""
    return f"encoder_{precision}.onnx"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_model_folder(model: str) -> ModelFolder:
    """Return the model folder that `model` names: a shipped model's name, or the path of a folder.

    Raises ModelError where the folder or its model.yaml is missing or does not follow the contract.
    """
    folder = _find_folder(model)
    description_path = folder / DESCRIPTION_FILE
    try:
        content = yaml.safe_load(description_path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {DESCRIPTION_FILE} in {folder}: set 'model' to a folder that has one."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"{description_path} cannot be read as YAML ({error}).".replace("\n", " ")) from error
    try:
        return ModelFolder(folder, _parse(content))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{description_path} does not follow the model contract: {error}.") from error


def _find_folder(model: str) -> Path:
    shipped = share_directory() / "models"
    folder = shipped / model if "/" not in model else Path(model).expanduser()
    if not folder.is_dir():
        names = ", ".join(sorted(path.name for path in shipped.glob("*/"))) if shipped.is_dir() else "none"
        raise ModelError(f"There is no model folder {folder}: set 'model' to a shipped model ({names}) or to a path.")
    return folder


def _parse(content: Any) -> ModelDescription:
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping of keys")
    known = ModelDescription.__dataclass_fields__
    missing = [key for key in known if key not in content and key not in ("training", "metrics")]
    if missing:
        raise ValueError(f"the keys {', '.join(missing)} are missing")
    labels = tuple(content["labels"])
    if sorted(labels) != sorted(LABELS):
        raise ValueError(f"labels must be {', '.join(LABELS)} in the order of the logits")
    description = ModelDescription(
        labels=labels,
        crop=int(content["crop"]),
        input_size=int(content["input_size"]),
        mean=_three(content["mean"]),
        std=_three(content["std"]),
        window_seconds=float(content["window_seconds"]),
        window_frames=int(content["window_frames"]),
        temperature=float(content["temperature"]),
        unknown_threshold=float(content["unknown_threshold"]),
        sha256=dict(content["sha256"]),
        training=content.get("training") or {},
        metrics=content.get("metrics") or {},
    )
    positive = ("crop", "input_size", "window_seconds", "window_frames", "temperature")
    for key in positive:
        if not getattr(description, key) > 0:
            raise ValueError(f"{key} must be above 0")
    if not 0.0 <= description.unknown_threshold <= 1.0:
        raise ValueError("unknown_threshold must be from 0 to 1")
    if min(description.std) <= 0:
        raise ValueError("std must be above 0")
    if description.crop > ALIGNED_SIZE:
        raise ValueError(f"crop must be at most {ALIGNED_SIZE}, the side of the aligned crop")
    return description


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
