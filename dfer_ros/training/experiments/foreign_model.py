"""Model files of others as ONNX: whatever is wrong with one is a sentence that names it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from dfer_ros.core.errors import ModelError

_OPSET = 17
_DAMAGED = (
    *(OSError, KeyError, TypeError, ValueError, AttributeError, IndexError, struct.error),
    *(onnx.checker.ValidationError, onnx.shape_inference.InferenceError),
)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Read a file as a kind of model meanwhile. Raises ModelError with path and kind for whatever is found wrong."""
    try:
        yield
    except _DAMAGED as error:
        raise ModelError(f"{path} cannot be read as {kind}: {error}.") from error


def checked_model(
    name: str,
    image: Sequence[int],
    outputs: Mapping[str, Sequence[object]],
    nodes: Sequence[onnx.NodeProto],
    tensors: Sequence[onnx.TensorProto],
) -> onnx.ModelProto:
    """Return the model of a graph, `image` [N, *image] to outputs by name and shape, all float32, checked by onnx."""
    shown = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *image])
    given = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape) for output, shape in outputs.items()]
    graph = helper.make_graph(nodes, name, [shown], given, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model
