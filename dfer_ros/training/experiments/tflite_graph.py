"""A TFLite model as an ONNX graph, without TensorFlow: only the operations of MediaPipe's face mesh and of a peer.

python -m dfer_ros.training.experiments.tflite_graph models/face_landmark/face_landmark.onnx   makes the file again
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from dfer_ros.training.experiments.foreign_model import checked_model, reading

_TYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.UINT8: np.uint8,
}
_OPERATIONS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
Array = npt.NDArray[Any]


def load_face_mesh_graph(path: Path) -> onnx.ModelProto:
    """Return the face mesh of a .tflite file as ONNX: `image` [N, 3, S, S] -> `landmarks` [N, K, 3], `presence` [N].

    Weights stay the half floats that they are. Raises ModelError where the file has an operation not known here.
    """
    with reading(path, "the TFLite model of a face mesh"):
        return _Graph(_read(path)).face_mesh()


def load_classifier_graph(path: Path) -> onnx.ModelProto:
    """Return the classifier of a .tflite file as ONNX: `image` [N, C, H, W] -> `probabilities` [N, K].

    Raises ModelError where the file has an operation not known here.
    """
    with reading(path, "the TFLite model of a classifier"):
        return _Graph(_read(path)).classifier()


def _read(path: Path) -> tflite.Model:
    return tflite.Model.GetRootAsModel(path.read_bytes(), 0)


class _Graph:
    """Grows a graph operation by operation; channels are the last axis there and the second here."""

    def __init__(self, model: tflite.Model) -> None:
        self._model = model
        self._graph = model.Subgraphs(0)
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []
        self._dequantised: dict[int, int] = {}
        self._operations: dict[str, Callable[[tflite.Operator, list[int], int], None]] = {
            "DEQUANTIZE": self._dequantise,
            "CONV_2D": self._convolution,
            "DEPTHWISE_CONV_2D": self._depthwise_convolution,
            "PRELU": self._prelu,
            "ADD": self._sum,
            "MAX_POOL_2D": self._pooling,
            "PAD": self._padding,
            "FULLY_CONNECTED": self._linear,
            "SOFTMAX": self._softmax,
        }

    def face_mesh(self) -> onnx.ModelProto:
        self._add_operations()
        graph = self._graph
        points = int(graph.Tensors(graph.Outputs(0)).ShapeAsNumpy()[-1]) // 3
        self._add("Reshape", [_name(graph.Outputs(0)), self._tensor("points", np.array((0, points, 3)))], "landmarks")
        self._add("Reshape", [_name(graph.Outputs(1)), self._tensor("rows", np.array((-1,)))], "presence_logit")
        self._add("Sigmoid", ["presence_logit"], "presence")
        return self._model_of("face_mesh", {"landmarks": ["N", points, 3], "presence": ["N"]})

    def classifier(self) -> onnx.ModelProto:
        self._add_operations()
        self._add("Identity", [_name(self._graph.Outputs(0))], "probabilities")
        return self._model_of("classifier", {"probabilities": ["N", "K"]})

    def _add_operations(self) -> None:
        graph = self._graph
        self._add("Identity", ["image"], _name(graph.Inputs(0)))
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = self._model.OperatorCodes(operator.OpcodeIndex())
            kind = _OPERATIONS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if kind not in self._operations:
                raise ValueError(f"the operation {kind} is not known")
            self._operations[kind](operator, operator.InputsAsNumpy().tolist(), int(operator.Outputs(0)))

    def _model_of(self, name: str, outputs: dict[str, list[str | int]]) -> onnx.ModelProto:
        _, height, width, channels = self._graph.Tensors(self._graph.Inputs(0)).ShapeAsNumpy().tolist()
        return checked_model(name, (channels, height, width), outputs, self._nodes, self._tensors)

    def _dequantise(self, _: tflite.Operator, inputs: list[int], output: int) -> None:
        self._dequantised[output] = inputs[0]

    def _convolution(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Conv2DOptions())
        self._convolve(options, inputs, self._constant(inputs[1]).transpose(0, 3, 1, 2), output)

    def _depthwise_convolution(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.DepthwiseConv2DOptions())
        kernel = self._constant(inputs[1]).transpose(3, 0, 1, 2)
        self._convolve(options, inputs, kernel, output, groups=len(kernel))

    def _convolve(self, options: Any, inputs: list[int], kernel: Array, output: int, groups: int = 1) -> None:
        if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
            raise ValueError("a convolution is dilated")
        names = [_name(inputs[0]), self._weight(inputs[1], kernel), self._weight(inputs[2], self._constant(inputs[2]))]
        shape = {"strides": _strides(options), "auto_pad": _auto_pad(options), "group": groups}
        self._add_activated(options, "Conv", names, _name(output), **shape)

    def _prelu(self, _: tflite.Operator, inputs: list[int], output: int) -> None:
        """Add PRelu, of other parts: ONNX Runtime's own takes more than twice the time of all the rest together."""
        slopes = self._constant(inputs[1]).reshape(1, -1, 1, 1)
        source, sloped = _name(inputs[0]), f"{_name(output)}_sloped"
        self._add("Mul", [source, self._weight(inputs[1], slopes)], sloped)
        if slopes.max() <= 1:
            self._add("Max", [source, sloped], _name(output))
            return
        rest = self._tensor(f"{_name(output)}_rest", 1 - slopes.astype(np.float32))
        self._add("Relu", [source], f"{sloped}_positive")
        self._add("Mul", [f"{sloped}_positive", rest], f"{sloped}_rest")
        self._add("Add", [sloped, f"{sloped}_rest"], _name(output))

    def _sum(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.AddOptions())
        self._add_activated(options, "Add", [_name(one) for one in inputs], _name(output))

    def _pooling(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Pool2DOptions())
        sizes = {"kernel_shape": [options.FilterHeight(), options.FilterWidth()], "strides": _strides(options)}
        self._add_activated(options, "MaxPool", [_name(inputs[0])], _name(output), auto_pad=_auto_pad(options), **sizes)

    def _padding(self, _: tflite.Operator, inputs: list[int], output: int) -> None:
        before, after = self._constant(inputs[1])[[0, 3, 1, 2]].T
        pads = self._tensor(f"{_name(output)}_pads", np.concatenate((before, after)))
        self._add("Pad", [_name(inputs[0]), pads], _name(output))

    def _linear(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.FullyConnectedOptions())
        source = _name(inputs[0])
        # The weights count channels last.
        self._add("Transpose", [source], f"{source}_channels_last", perm=[0, 2, 3, 1])
        self._add("Flatten", [f"{source}_channels_last"], f"{source}_flat")
        names = [f"{source}_flat", *(self._weight(index, self._constant(index)) for index in inputs[1:])]
        self._add_activated(options, "Gemm", names, _name(output), transB=1)

    def _softmax(self, _: tflite.Operator, inputs: list[int], output: int) -> None:
        self._add("Softmax", [_name(inputs[0])], _name(output), axis=1)

    def _add_activated(self, options: Any, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Add an operation with the activation that is part of it."""
        activation = options.FusedActivationFunction()
        if activation == tflite.ActivationFunctionType.NONE:
            self._add(kind, inputs, output, **attributes)
        elif activation == tflite.ActivationFunctionType.RELU6:
            self._add(kind, inputs, f"{output}_linear", **attributes)
            self._add("Clip", [f"{output}_linear", *self._limits], output)
        else:
            raise ValueError(f"an operation has the activation {activation}, which is not known")

    @cached_property
    def _limits(self) -> list[str]:
        """The names of the least and the greatest number that ReLU6 gives."""
        return [self._tensor(name, np.array(limit, np.float32)) for name, limit in (("least", 0), ("greatest", 6))]

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _constant(self, index: int) -> Array:
        tensor = self._graph.Tensors(self._dequantised.get(index, index))
        content = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
        values = np.frombuffer(content.tobytes(), _TYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())
        if tensor.Type() != tflite.TensorType.UINT8:
            return values
        steps = tensor.Quantization()
        if steps.ScaleLength() != 1:
            raise ValueError("the bytes of a tensor have several scales")
        # What an operation takes as bytes is symmetric, whatever the file calls it.
        symmetric = index not in self._dequantised
        whole = values.view(np.int8) if symmetric else values.astype(np.int32) - steps.ZeroPoint(0)
        return whole.astype(np.float32) * np.float32(steps.Scale(0))

    def _weight(self, index: int, values: Array) -> str:
        """Add the weights of a tensor, and return their name as floats of 32 bits."""
        name = f"{_name(index)}_weights"
        if values.dtype == np.float32:
            return self._tensor(name, values)
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float16), f"{name}_half"))
        self._add("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        return name

    def _tensor(self, name: str, values: Array) -> str:
        kind = np.float32 if values.dtype == np.float32 else np.int64
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=kind), name))
        return name


def _options(operator: tflite.Operator, options: Any) -> Any:
    """Return the options of an operator."""
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _name(index: int) -> str:
    return f"t{index}"


def _strides(options: Any) -> list[int]:
    return [options.StrideH(), options.StrideW()]


def _auto_pad(options: Any) -> str:
    return "SAME_UPPER" if options.Padding() == tflite.Padding.SAME else "VALID"


if __name__ == "__main__":
    import mediapipe

    modules = Path(mediapipe.__file__).parent / "modules"
    onnx.save(load_face_mesh_graph(modules / "face_landmark" / "face_landmark.tflite"), sys.argv[1])
