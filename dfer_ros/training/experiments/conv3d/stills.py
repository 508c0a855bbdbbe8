"""Stills for a clip model before any clip: it learns them as single frames and is then inflated.

So it has seen what the frame encoder has seen. Inflated (Carreira and Zisserman 2017): the kernels of the single frame
are spread evenly over three, so that a face that keeps still gives in a clip what it gave alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.data.prepared_set import open_prepared_set
from dfer_ros.training.encoder.augmentation import AugmentationConfig
from dfer_ros.training.encoder.batches import DataConfig, EncoderBatches
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import normalise
from dfer_ros.training.experiments.conv3d.network import Conv3d, Conv3dConfig
from dfer_ros.training.experiments.conv3d.training import Conv3dScheduleConfig, Conv3dTask
from dfer_ros.training.run import TrainingRun


@dataclass(frozen=True)
class Conv3dStillsConfig:
    """data: the prepared sets, of which the training split is taken. input_size: pixels."""

    data: tuple[DataConfig, ...]
    input_size: int = 64
    schedule: Conv3dScheduleConfig = field(
        default_factory=lambda: Conv3dScheduleConfig(
            steps=1000, batch_size=64, learning_rate=3e-3, log_steps=250, checkpoint_steps=250
        )
    )


def train_on_stills(
    config: Conv3dStillsConfig, model: Conv3dConfig, crop: int, seed: int, data: Path, output: Path, console: Console
) -> dict[str, torch.Tensor]:
    """Return the weights of a clip model trained on stills and inflated.

    crop: pixels of the aligned crop that are seen. data: folder of the prepared sets. output: folder of checkpoint and
    log. Raises DataError and TrainingError for what is missing.
    """
    sets = [open_prepared_set(data / one.name).split("train") for one in config.data]
    for prepared in sets:
        if not prepared.samples:
            raise TrainingError(
                f"The set {prepared.folder} has no samples in the split 'train': leave it out of 'stills'."
            )
    schedule, sizes = config.schedule, (config.input_size,)
    targets = [prepared.targets() for prepared in sets]
    surround = SurroundConfig(crop=crop)
    batches = EncoderBatches(
        config.data, sets, targets, schedule.batch_size, sizes, surround, AugmentationConfig(), seed
    )

    def draw(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        batch = batches[step]
        return normalise(batch.images).unsqueeze(2), batch.targets

    torch.manual_seed(seed)
    network = Conv3d(model).to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    signature = repr((asdict(config), asdict(model), crop, seed, [len(prepared.samples) for prepared in sets]))
    TrainingRun(Conv3dTask(network, draw, schedule, seed, signature), output, console).run()
    inflate(network)
    return {name: value.cpu() for name, value in network.state_dict().items()}


def inflate(model: Conv3d) -> None:
    """Spread what the kernels of a clip model do to a single frame, their middle, evenly over their three frames."""
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Conv3d):
                layer.weight.copy_(layer.weight[:, :, 1:2] / 3.0)
