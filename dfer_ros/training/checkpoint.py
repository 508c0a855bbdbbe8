"""Checkpoints: everything that a run needs to go on, in one file that appears whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import OutputError, TrainingError, first_line

CHECKPOINT_FILE = "checkpoint.pt"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint. Raises TrainingError where it cannot be written; the one before stays."""
    try:
        with whole_path(path) as part:
            torch.save(state, part)
    except (OutputError, RuntimeError) as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be written ({first_line(error)}): make room, and the same command goes on "
            "from the one before."
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint; only tensors and plain values are read, no code.

    Raises TrainingError where it is missing or damaged.
    """
    if not path.is_file():
        raise TrainingError(
            f"There is no checkpoint {path}: train with 'dfer train' first, or get it as docs/training.md says."
        )
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return state
    except Exception as error:  # torch raises what its unpickler and zip reader raise
        raise TrainingError(
            f"The checkpoint {path} cannot be read ({first_line(error)}): delete it to begin anew."
        ) from error
