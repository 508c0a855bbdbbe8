"""Training configurations: a YAML file into frozen dataclasses, every key checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dacite

from dfer_ros.core.errors import DferError, TrainingError, in_one_line
from dfer_ros.core.model.folder import read_yaml
from dfer_ros.training.encoder.blend import BlendRunConfig
from dfer_ros.training.encoder.config import EncoderTrainingConfig
from dfer_ros.training.experiments.comparison.run import ComparisonRunConfig
from dfer_ros.training.experiments.conv3d.run import Conv3dRunConfig
from dfer_ros.training.head.run import HeadRunConfig

TrainingConfig = EncoderTrainingConfig | BlendRunConfig | HeadRunConfig | Conv3dRunConfig | ComparisonRunConfig
KINDS: dict[str, type[TrainingConfig]] = {
    "encoder": EncoderTrainingConfig,
    "blend": BlendRunConfig,
    "head": HeadRunConfig,
    "clip": Conv3dRunConfig,
    "comparison": ComparisonRunConfig,
}
"""What the key `kind` names."""


def read_configuration(path: Path) -> TrainingConfig:
    """Return the configuration in a YAML file.

    Raises TrainingError where it is missing, not YAML, or has a key or value that does not fit.
    """
    content = _read_mapping(path)
    kind = content.pop("kind", None)
    if kind not in KINDS:
        raise TrainingError(f"{path}: kind is '{kind}', but must be one of {', '.join(KINDS)}.")
    try:
        configuration = dacite.from_dict(
            KINDS[kind], content, dacite.Config(strict=True, cast=[tuple], type_hooks={float: _number})
        )
    except dacite.UnexpectedDataError as error:
        raise TrainingError(
            f"{path} has keys that are not known, correct them or take them out: {', '.join(sorted(error.keys))}."
        ) from error
    except TypeError as error:  # dacite makes a tuple of what is none
        raise TrainingError(f"{path} has one value where a list is asked for, as in [value]: {error}.") from error
    except dacite.DaciteError as error:
        raise TrainingError(f"{path} does not fit a configuration of kind '{kind}': {error}.") from error
    except DferError as error:
        raise TrainingError(f"{path}: {error}") from error
    return configuration


def _number(value: Any) -> Any:
    """Let 1 stand for 1.0, and 1e-3, which YAML takes for text, for 0.001."""
    try:
        return value if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return value


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except FileNotFoundError as error:
        raise TrainingError(
            f"There is no training configuration {path}: give a YAML file such as those in config/training."
        ) from error
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read as YAML ({in_one_line(error)}).") from error
    if not isinstance(content, dict):
        raise TrainingError(f"{path} is not a mapping of keys: write lines such as 'kind: encoder'.")
    return content
