"""A run that blends the weights of others: what was learned later, without forgetting what was known before.

The mean of the weights of a network and of the one that it was tuned from keeps most of what both are good at, at the
cost of one (WiSE-FT, Wortsman et al. 2022). Batch norms are folded into their convolutions first, so that what is
averaged is the function and not its parts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from rich.console import Console

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, save_checkpoint
from dfer_ros.training.encoder.frame_encoder import TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import MobileNetV1, fold_norms
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder
from dfer_ros.training.folders import TrainingFolders


@dataclass(frozen=True)
class BlendedRun:
    """run: its name. share: of its weights, relative to the others. folds: whether it has a run for each fold."""

    run: str
    share: float = 1.0
    folds: bool = False

    def __post_init__(self) -> None:
        if self.share <= 0:
            raise TrainingError(f"The run {self.run} needs a share above 0 to be blended.")


@dataclass(frozen=True)
class BlendRunConfig:
    """runs: of one architecture, each with the logit adjustment of its own. surround: what the blend sees of a crop."""

    runs: tuple[BlendedRun, ...]
    surround: SurroundConfig

    def __post_init__(self) -> None:
        if len(self.runs) < 2:
            raise TrainingError("A blend needs at least two runs.")

    def without(self, fold: str) -> BlendRunConfig:
        """Return the blend of a fold. Raises TrainingError where no run has folds."""
        if not any(one.folds for one in self.runs):
            raise TrainingError(f"No run of this blend has the fold '{fold}': say 'folds: true' of one.")
        runs = (replace(one, run=f"{one.run}_{fold}", folds=False) if one.folds else one for one in self.runs)
        return replace(self, runs=tuple(runs))


def run_blend(config: BlendRunConfig, folders: TrainingFolders, console: Console) -> None:
    """Leave the checkpoint of a blend in the folder of the run. Raises TrainingError for what is missing or differs."""
    encoders = [load_trained_encoder(folders.runs / one.run, 0).model for one in config.runs]
    for encoder, one in zip(encoders, config.runs):
        if encoder.config.architecture != encoders[0].config.architecture:
            raise TrainingError(
                f"The run {one.run} is a {encoder.config.architecture} and {config.runs[0].run} a "
                f"{encoders[0].config.architecture}: only runs of one architecture can be blended."
            )
        if isinstance(encoder.backbone, MobileNetV1):
            fold_norms(encoder.backbone)
    weights = blended_weights(encoders, [one.share for one in config.runs])
    folders.make_output()
    state = {
        "encoder": asdict(encoders[0].config),
        "surround": asdict(config.surround),
        "average": {f"module.{name}": value for name, value in weights.items()},
        "adjustment": [0.0] * encoders[0].classifier.out_features,
    }
    save_checkpoint(folders.output / CHECKPOINT_FILE, state)
    console.print(f"Blended: {', '.join(one.run for one in config.runs)}", highlight=False)


def blended_weights(encoders: list[TrainableEncoder], shares: list[float]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights of encoders, by their shares; what is no number with a fraction is the first's."""
    states = [encoder.state_dict() for encoder in encoders]
    total = sum(shares)
    return {
        name: sum((share / total) * state[name] for share, state in zip(shares, states))
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
