"""What a network costs: multiply-adds counted in its graph, parameters, and the size of its file."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
from onnx import shape_inference

from dfer_ros.core.errors import ModelError, first_line

COUNTED = ("Conv", "Gemm", "MatMul", "GRU", "LSTM")
"""The operators whose multiply-adds are counted; all others (activations, sums, softmax, scaling) are passed over."""

_GATES = {"GRU": 3, "LSTM": 4}
_QUANTISATION = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class NetworkCost:
    """multiply_adds: of one run; one is two floating-point operations. by_operator: the same, split.

    parameters: values of the weights. file_bytes: size of the ONNX file.
    """

    multiply_adds: int
    by_operator: dict[str, int]
    parameters: int
    file_bytes: int


def network_cost(path: Path, inputs: Mapping[str, Sequence[int]]) -> NetworkCost:
    """Return the cost of an ONNX file for inputs of the given shapes, by name.

    Raises ModelError where the file cannot be read or the shape of a counted operator does not follow from its inputs.
    """
    try:
        model = onnx.load(path)
        try:
            counts = _counts(model, inputs)
        except ValueError:  # what is computed from shapes hides those that follow, as in vision transformers
            counts = _counts(_folded(model, inputs), inputs)
    except Exception as error:  # onnx raises classes of its own and of protobuf
        raise ModelError(f"The multiply-adds of {path} cannot be counted: {first_line(error)}") from error
    return NetworkCost(sum(counts.values()), dict(counts), _parameters(model), path.stat().st_size)


def _counts(model: onnx.ModelProto, inputs: Mapping[str, Sequence[int]]) -> Counter[str]:
    """Return the multiply-adds by operator. Raises ValueError where a shape is not known."""
    shapes = _shapes(model, inputs)
    counts: Counter[str] = Counter()
    for node in model.graph.node:
        if node.op_type in COUNTED:
            counts[node.op_type] += _multiply_adds(node, shapes)
    return counts


def _fixed(model: onnx.ModelProto, inputs: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """Return a copy of a model whose inputs have shapes in numbers, and whose other values have none."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    # What the exporter noted has names for sizes, which would stand against the numbers.
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in fixed.graph.input:
        for dimension, size in zip(value.type.tensor_type.shape.dim, inputs.get(value.name, ())):
            dimension.dim_value = size
    return fixed


def _folded(model: onnx.ModelProto, inputs: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """Return a model in which all that follows from the shapes of the inputs is a constant; itself where that fails."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        try:
            content = _fixed(model, inputs).SerializeToString()
            onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception:  # ONNX Runtime raises a class of its own for every status code
            return model
        return onnx.load(options.optimized_model_filepath)


def _shapes(model: onnx.ModelProto, inputs: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Return the shape of every value of a graph whose shape is known once its inputs have theirs."""
    fixed = _fixed(model, inputs)
    known = -1
    # The nodes of a converted graph need not be in order: each round gives the shapes to those that came too early.
    while known < len(fixed.graph.value_info):
        known = len(fixed.graph.value_info)
        fixed = shape_inference.infer_shapes(fixed, data_prop=True)
    values = [*fixed.graph.input, *fixed.graph.value_info, *fixed.graph.output]
    shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in values}
    return shapes | {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}


def _multiply_adds(node: onnx.NodeProto, shapes: Mapping[str, list[int]]) -> int:
    def size(name: str) -> list[int]:
        shape = shapes.get(name, [])
        if not shape or 0 in shape:
            raise ValueError(f"the shape of '{name}' ({node.op_type}) is not known.")
        return shape

    if node.op_type in _GATES:
        steps, batch, features = size(node.input[0])
        directions, _, hidden = size(node.input[2])
        return steps * batch * directions * _GATES[node.op_type] * hidden * (features + hidden)
    output = math.prod(size(node.output[0]))
    if node.op_type == "Conv":
        return output * math.prod(size(node.input[1])[1:])
    if node.op_type == "Gemm":
        transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
        return output * size(node.input[0])[0 if transposed else 1]
    return output * size(node.input[0])[-1]


def _parameters(model: onnx.ModelProto) -> int:
    """Return the number of weights: floating-point initializers, or quantised ones; scales and zero points are none."""
    scales = {name for node in model.graph.node if node.op_type in _QUANTISATION for name in node.input[1:]}
    quantised = {node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    floating = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return sum(
        math.prod(tensor.dims)
        for tensor in model.graph.initializer
        if tensor.name not in scales and (tensor.data_type in floating or tensor.name in quantised)
    )
