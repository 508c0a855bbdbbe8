"""What model.yaml says about a model, checked: nothing in it is used before it makes sense."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.labels import LABELS

SMALLEST_SIZE, LARGEST_SIZE = 64, ALIGNED_SIZE
"""Input sizes in pixels that an encoder is used at. Above the aligned crop there is nothing more to see."""
_LIMITS: dict[str, float] = {
    "crop": ALIGNED_SIZE,
    "input_size": 1024,
    "window_seconds": 60,
    "window_frames": 1024,
    "temperature": 1000,
}
"""The greatest value of numbers that must be above 0: more would take all memory before the first face."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


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


def parse_description(content: Any) -> ModelDescription:
    """Return the description in the content of a model.yaml.

    Raises KeyError, TypeError, ValueError or OverflowError, with what is wrong, where it does not follow the contract.
    """
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
        sha256=_checksums(content["sha256"]),
        training=content.get("training") or {},
        metrics=content.get("metrics") or {},
    )
    _check_numbers(description)
    return description


def _check_numbers(description: ModelDescription) -> None:
    for key, most in _LIMITS.items():
        if not getattr(description, key) > 0:
            raise ValueError(f"{key} must be above 0")
        if getattr(description, key) > most:
            side = ", the side of the aligned crop" if key == "crop" else ""
            raise ValueError(f"{key} must be at most {most}{side}")
    if not 0.0 <= description.unknown_threshold <= 1.0:
        raise ValueError("unknown_threshold must be from 0 to 1")
    if not all(math.isfinite(value) for value in (*description.mean, *description.std)):
        raise ValueError("mean and std must be numbers")
    if min(description.std) <= 0:
        raise ValueError("std must be above 0")


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _checksums(content: Any) -> dict[str, str]:
    if not isinstance(content, Mapping):
        raise ValueError("sha256 must be a mapping from file names to hex digits")
    for name, digest in content.items():
        if not isinstance(name, str) or not name or name in (".", "..") or "/" in name or "\\" in name:
            raise ValueError(f"sha256 speaks of '{name}', which is not the name of a file of this folder")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise ValueError(f"the sha256 of {name} must be 64 lower case hex digits")
    return dict(content)
