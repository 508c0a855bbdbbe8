"""A Keras model in HDF5 as an ONNX graph, without TensorFlow: only the layers that small convolutional peers use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import helper, numpy_helper

from dfer_ros.core.faces import FloatArray
from dfer_ros.training.experiments.foreign_model import checked_model, reading

_ACTIVATIONS = {"relu": "Relu", "softmax": "Softmax"}


def load_keras_graph(path: Path) -> onnx.ModelProto:
    """Return the model of an HDF5 file as ONNX, `image` [N, C, H, W] -> `probabilities` [N, K].

    Raises ModelError where the file is not such a model or has a layer that is not known here.
    """
    with reading(path, "a Keras model"), h5py.File(path) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        return _Graph(file["model_weights"]).build(layers)


class _Graph:
    """Grows a graph layer by layer; each layer's output has the layer's name."""

    def __init__(self, weights: h5py.Group) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []
        self._layers: dict[str, Callable[[str, list[str], dict[str, Any]], None]] = {
            "Conv2D": self._convolution,
            "SeparableConv2D": self._separable_convolution,
            "BatchNormalization": self._normalisation,
            "Activation": self._activation,
            "MaxPooling2D": self._pooling,
            "Add": self._sum,
            "GlobalAveragePooling2D": self._global_average,
        }

    def build(self, layers: list[dict[str, Any]]) -> onnx.ModelProto:
        first, last = layers[0], layers[-1]
        _, height, width, channels = first["config"]["batch_input_shape"]
        self._add_node("Identity", ["image"], first["name"])
        for layer in layers[1:]:
            kind = layer["class_name"]
            if kind not in self._layers:
                raise ValueError(f"the layer {kind} is not known")
            inputs = [entry[0] for node in layer["inbound_nodes"] for entry in node]
            self._layers[kind](layer["name"], inputs, layer["config"])
        self._add_node("Identity", [last["name"]], "probabilities")
        outputs = {"probabilities": ["N", "K"]}
        return checked_model("keras", (channels, height, width), outputs, self._nodes, self._tensors)

    def _convolution(self, name: str, inputs: list[str], config: dict[str, Any]) -> None:
        self._convolve(name, inputs[0], self._weight(name, "kernel").transpose(3, 2, 0, 1), config, bias_of=name)

    def _separable_convolution(self, name: str, inputs: list[str], config: dict[str, Any]) -> None:
        each = self._weight(name, "depthwise_kernel").transpose(2, 3, 0, 1)
        if each.shape[1] != 1:
            raise ValueError(f"the layer {name} has a depth multiplier")
        self._convolve(f"{name}_each", inputs[0], each, config, groups=len(each))
        across = self._weight(name, "pointwise_kernel").transpose(3, 2, 0, 1)
        self._convolve(name, f"{name}_each", across, {**config, "strides": [1, 1]}, bias_of=name)

    def _convolve(
        self, name: str, source: str, kernel: FloatArray, config: dict[str, Any], groups: int = 1, bias_of: str = ""
    ) -> None:
        if bias_of and config["activation"] != "linear":
            raise ValueError(f"the layer {name} has an activation of its own")
        inputs = [source, self._tensor(f"{name}_kernel", kernel)]
        if bias_of and config["use_bias"]:
            inputs.append(self._tensor(f"{name}_bias", self._weight(bias_of, "bias")))
        self._add_node("Conv", inputs, name, strides=config["strides"], auto_pad=_padding(config), group=groups)

    def _normalisation(self, name: str, inputs: list[str], config: dict[str, Any]) -> None:
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        tensors = [self._tensor(f"{name}_{part}", self._weight(name, part)) for part in parts]
        self._add_node("BatchNormalization", [inputs[0], *tensors], name, epsilon=config["epsilon"])

    def _activation(self, name: str, inputs: list[str], config: dict[str, Any]) -> None:
        kind = _ACTIVATIONS[config["activation"]]
        # Channels are the last axis in Keras and the second here.
        self._add_node(kind, inputs, name, **({"axis": 1} if kind == "Softmax" else {}))

    def _pooling(self, name: str, inputs: list[str], config: dict[str, Any]) -> None:
        sizes = {"kernel_shape": config["pool_size"], "strides": config["strides"], "auto_pad": _padding(config)}
        self._add_node("MaxPool", inputs, name, **sizes)

    def _sum(self, name: str, inputs: list[str], _: dict[str, Any]) -> None:
        self._add_node("Sum", inputs, name)

    def _global_average(self, name: str, inputs: list[str], _: dict[str, Any]) -> None:
        self._add_node("ReduceMean", inputs, name, axes=[2, 3], keepdims=0)

    def _add_node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _tensor(self, name: str, values: FloatArray) -> str:
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name

    def _weight(self, layer: str, name: str) -> FloatArray:
        found: list[FloatArray] = []

        def look(path: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and path.split("/")[-1] == f"{name}:0":
                found.append(np.asarray(item, dtype=np.float32))

        self._weights[layer].visititems(look)
        if len(found) != 1:
            raise ValueError(f"the layer {layer} has no weights '{name}'")
        return found[0]


def _padding(config: dict[str, Any]) -> str:
    return "SAME_UPPER" if config["padding"] == "same" else "VALID"
