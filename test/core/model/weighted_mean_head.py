"""The simplest honest temporal head: the mean of the frames' logits, weighted by quality and age."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dfer_ros.core.faces import FloatArray

_OPSET = 17


def export_weighted_mean_head(encoder: Path, output: Path, decay_seconds: float) -> None:
    """Write head.onnx for an encoder whose logits are one linear layer (Gemm) over its embedding.

    The weight of a frame is mask * exp(-age / decay_seconds), mask being its quality. The logits [P, 7] are that layer
    applied to the weighted mean of the embeddings, which is the weighted mean of the frames' logits.
    """
    weight, bias = _classifier(onnx.load(encoder))
    constants = [
        numpy_helper.from_array(np.array(-1.0 / decay_seconds, dtype=np.float32), "decay"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "frame_axis"),
        numpy_helper.from_array(np.array(1e-6, dtype=np.float32), "least_total"),
        numpy_helper.from_array(weight, "classifier_weight"),
        numpy_helper.from_array(bias, "classifier_bias"),
    ]
    nodes = [
        helper.make_node("Mul", ["ages", "decay"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["freshness"]),
        helper.make_node("Mul", ["mask", "freshness"], ["weights"]),
        helper.make_node("ReduceSum", ["weights", "frame_axis"], ["sum"], keepdims=1),
        helper.make_node("Max", ["sum", "least_total"], ["total"]),
        helper.make_node("Div", ["weights", "total"], ["shares"]),
        helper.make_node("Unsqueeze", ["shares", "frame_axis"], ["rows"]),
        helper.make_node("MatMul", ["rows", "embeddings"], ["mean_row"]),
        helper.make_node("Squeeze", ["mean_row", "frame_axis"], ["mean"]),
        helper.make_node("Gemm", ["mean", "classifier_weight", "classifier_bias"], ["logits"]),
    ]
    size, classes = weight.shape
    inputs = [
        helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["P", "T", size]),
        helper.make_tensor_value_info("ages", TensorProto.FLOAT, ["P", "T"]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["P", "T"]),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["P", classes])]
    graph = helper.make_graph(nodes, "weighted_mean_head", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, output)


def _classifier(encoder: onnx.ModelProto) -> tuple[FloatArray, FloatArray]:
    """Return the weight [D, 7] and bias [7] of the layer that makes the encoder's logits."""
    layer = next(node for node in encoder.graph.node if "logits" in node.output)
    if layer.op_type != "Gemm" or layer.input[0] != "embedding":
        raise ValueError("The encoder's logits are not one Gemm over its embedding: export a head with them instead.")
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in encoder.graph.initializer}
    transposed = any(attribute.name == "transB" and attribute.i for attribute in layer.attribute)
    weight = tensors[layer.input[1]]
    return np.ascontiguousarray(weight.T if transposed else weight), tensors[layer.input[2]]
