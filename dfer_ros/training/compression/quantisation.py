"""Smaller numbers in the same encoder: static INT8 (QDQ, per channel) and FP16."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.faces import Image
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import ModelDescription

CALIBRATIONS = {
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
    "minmax": CalibrationMethod.MinMax,
}
"""How the ranges of the activations are taken from what the calibration crops give."""
_BATCH = 32
_POOLING = "/pooling/"


def quantise_int8(
    encoder: Path, output: Path, crops: Sequence[Image], description: ModelDescription, calibration: str = "percentile"
) -> None:
    """Write a static INT8 version of an FP32 encoder, calibrated on aligned crops. calibration: one of CALIBRATIONS.

    Unsigned activations and signed weights: the form for which ONNX Runtime has VNNI kernels; both signed ran at the
    speed of FP32. The surround, the pooling and the classifier stay in FP32: they cost next to nothing, and the head
    gets embeddings that are not rounded. Raises TrainingError where the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder, whole_path(output) as part, _without_advice():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(encoder), str(prepared), skip_symbolic_shape=True)
        kept = _kept_in_fp32(onnx.load(prepared).graph)
        quantize_static(
            str(prepared),
            str(part),
            _CropReader(crops, description),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
            calibrate_method=CALIBRATIONS[calibration],
            # One batch at a time, or the outputs of all layers for all crops would be in memory at once.
            extra_options={"CalibStridedMinMax": 1},
        )


def convert_fp16(encoder: Path, output: Path) -> None:
    """Write an FP16 version of an FP32 encoder; its inputs and outputs stay FP32.

    Raises TrainingError where the file cannot be written.
    """
    with whole_path(output) as part:
        onnx.save(convert_float_to_float16(onnx.load(encoder), keep_io_types=True), part)


class _CropReader(CalibrationDataReader):
    """Batches of crops; ONNX Runtime asks for them range by range."""

    def __init__(self, crops: Sequence[Image], description: ModelDescription) -> None:
        self._crops, self._description = crops, description
        self._batches: Iterator[int] = iter(range(len(self)))

    def __len__(self) -> int:
        return -(-len(self._crops) // _BATCH)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._batches = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        return {"image": preprocess(self._crops[batch * _BATCH : (batch + 1) * _BATCH], self._description)}


def _kept_in_fp32(graph: Any) -> list[str]:
    end = [node for node in graph.node if "logits" in node.output or node.name.startswith(_POOLING)]
    return [node.name for node in [*_surround(graph), *end]]


def _surround(graph: Any) -> Iterable[Any]:
    """Return the nodes before the first convolution."""
    first = next((index for index, node in enumerate(graph.node) if node.op_type == "Conv"), 0)
    nodes: Iterable[Any] = graph.node[:first]
    return nodes


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Keep back what ONNX Runtime prints and logs while it quantises: to prepare the model, which is done."""

    def other(record: logging.LogRecord) -> bool:
        return "quantization" not in record.pathname

    root = logging.getLogger()
    root.addFilter(other)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.removeFilter(other)
