"""A trained frame encoder, from the checkpoint of its run: the moving average of its weights, ready to predict."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import dacite
import numpy as np
import onnx
import torch
from onnx import numpy_helper

from dfer_ros.core.errors import TrainingError, first_line
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.core.model.folder import encoder_file, open_model_folder
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from dfer_ros.training.encoder.augmentation import central_part
from dfer_ros.training.encoder.frame_encoder import MOBILENET_V1, EncoderConfig, TrainableEncoder, run_in_bfloat16
from dfer_ros.training.encoder.mobilenet_v1 import load_folded_weights
from dfer_ros.training.encoder.session import EncoderOutputs
from dfer_ros.training.encoder.surround import SurroundConfig

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""RGB, of pixels scaled to 0..1: those of the ImageNet weights."""

_BATCH = 128


class TrainedEncoder:
    """model: the network. surround: what of the aligned crop it sees. input_size: pixels at which it is used here.

    bfloat16: whether it computes in 16 bits; for networks without batch norms.
    """

    def __init__(
        self, model: TrainableEncoder, surround: SurroundConfig, input_size: int, bfloat16: bool = False
    ) -> None:
        self.model = model.eval()
        self.bfloat16 = bfloat16
        self._compute = partial(run_in_bfloat16, model) if bfloat16 else model
        self.surround = surround
        self.input_size = input_size

    def run(self, crops: Sequence[Image]) -> EncoderOutputs:
        """Return the outputs for aligned crops [128, 128, 3] uint8 BGR, batch by batch."""
        parts = [self._run(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)]
        embeddings = [np.zeros((0, self.model.classifier.in_features), np.float32), *(one for one, _ in parts)]
        logits = [np.zeros((0, self.model.classifier.out_features), np.float32), *(one for _, one in parts)]
        return EncoderOutputs(np.concatenate(embeddings), np.concatenate(logits))

    def logits(self, crops: Sequence[Image]) -> FloatArray:
        """Return the logits [N, 7] of run() alone."""
        return self.run(crops).logits

    def _run(self, crops: Sequence[Image]) -> tuple[FloatArray, FloatArray]:
        images = np.stack([central_part(crop, self.surround.crop, self.input_size) for crop in crops])
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            embedding, logits = self._compute(normalise(torch.from_numpy(images).to(device)))
        return embedding.cpu().numpy(), logits.cpu().numpy()


def load_trained_encoder(
    folder: Path, input_size: int, adjusted: bool = True, bfloat16: bool = False
) -> TrainedEncoder:
    """Return the encoder of a run's folder, or of a model folder with a MobileNet.

    adjusted: with the logit adjustment of its run, as it is used; without, as it was trained: to train on from, or to
    teach others, whose own adjustment comes after. A model folder has the adjusted one only.
    bfloat16: as of TrainedEncoder. Raises TrainingError where its checkpoint is missing or damaged.
    """
    path = folder / CHECKPOINT_FILE
    if weights_file(folder) != path:
        return TrainedEncoder(*load_exported_mobilenet(folder), input_size)
    state = load_checkpoint(path)
    try:
        config = dacite.from_dict(EncoderConfig, {**state["encoder"], "pretrained": None})
        surround = dacite.from_dict(SurroundConfig, state["surround"])
        model = TrainableEncoder(config, surround)
        weights = {name.removeprefix("module."): value for name, value in state["average"].items() if "module." in name}
        model.load_state_dict(weights)
        if adjusted:
            with torch.no_grad():
                model.classifier.bias.add_(torch.tensor(state["adjustment"]))
    except TrainingError as error:
        raise TrainingError(f"The checkpoint {path} cannot be used: {error}") from error
    except (KeyError, RuntimeError, dacite.DaciteError) as error:
        raise TrainingError(
            f"The checkpoint {path} is not of a frame encoder of this version, train it again: {first_line(error)}"
        ) from error
    return TrainedEncoder(model, surround, input_size, bfloat16)


def weights_file(folder: Path) -> Path:
    """Return the file from which load_trained_encoder reads."""
    exported = folder / EXPORTED
    return exported if exported.is_file() and not (folder / CHECKPOINT_FILE).is_file() else folder / CHECKPOINT_FILE


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Return the encoder's input [N, 3, S, S] float32 RGB for images [N, S, S, 3] uint8 BGR."""
    scaled = images.flip(3).permute(0, 3, 1, 2).float().div_(255.0)
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    return scaled.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


EXPORTED = encoder_file("fp32")


def load_exported_mobilenet(folder: Path) -> tuple[TrainableEncoder, SurroundConfig]:
    """Return the encoder of a model folder, its batch norms folded, and what it sees of a crop.

    Its logits have the adjustment of the run that made it. Raises ModelError where the folder is damaged, TrainingError
    where it holds another network.
    """
    found = open_model_folder(str(folder.absolute()))
    graph = onnx.load(found.verified(EXPORTED)).graph
    constants = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    layers = [(node.input[1], node.input[2]) for node in graph.node if node.op_type == "Conv"]
    surround = SurroundConfig(crop=found.description.crop)
    model = TrainableEncoder(EncoderConfig(MOBILENET_V1, pretrained=None), surround)
    try:
        load_folded_weights(model.backbone, [(constants[weight], constants[bias]) for weight, bias in layers])
        model.classifier.load_state_dict({name: constants[f"classifier.{name}"] for name in ("weight", "bias")})
    except (KeyError, RuntimeError, ValueError) as error:
        raise TrainingError(
            f"{folder / EXPORTED} is not a whole {MOBILENET_V1}, and of other networks a run is needed: {error}."
        ) from error
    return model, surround
