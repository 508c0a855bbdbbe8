"""A MobileNet out of the model folder that it was shipped in, to train on from or to teach others."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.model.folder import encoder_file, open_model_folder
from dfer_ros.training.encoder.frame_encoder import MOBILENET_V1, EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import load_folded_weights
from dfer_ros.training.encoder.surround import SurroundConfig

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
